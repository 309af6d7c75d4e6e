import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, caseIdOf, shortHash } from '../../../src/core/experiment/case-id.ts';
import { sampleCase } from '../sample-case.ts';

describe('caseIdOf', () => {
  it('is readable and fit for a path', () => {
    expect(caseIdOf(sampleCase())).toMatch(/^zero-offload-2b-1chip-s1024-b8x1-bf16-[0-9a-f]{8}$/);
    const odd = sampleCase({
      model: { ...sampleCase().model, name: '../My Size' },
      activationCheckpointing: true,
    });
    expect(caseIdOf(odd)).toMatch(/^[a-z0-9.-]+-ac-[0-9a-f]{8}$/);
    expect(caseIdOf(odd)).not.toContain('/');
  });

  it('says which workload trains, and how many chips share a sequence', () => {
    const shared = sampleCase({ workload: 'megatron', chips: 4, sequenceParallel: 2 });
    expect(caseIdOf(shared)).toMatch(/^megatron-zero-offload-2b-4chip-sp2-s1024-b8x1-bf16-/);
  });

  it('changes with every field of the case', () => {
    const base = sampleCase();
    const changed = [
      { seed: 1 },
      { ratio: 0.5 },
      { gradientClipping: 1 },
      { steps: 31 },
      { dropout: 0.1 },
      { dataPath: 'data/gpt2' },
      { workload: 'megatron' as const },
      { sequenceParallel: 2 },
      { attention: 'unfused' as const },
      { activationOffload: true },
      { fp16LmCrossEntropy: true },
      { vocabFile: '/vocab.json' },
      { mergeFile: '/merges.txt' },
      { deepspeedOverrides: { 'zero_optimization.overlap_comm': true } },
      { experiment: 'other' },
    ].map((change) => caseIdOf({ ...base, ...change }));
    expect(new Set([caseIdOf(base), ...changed]).size).toBe(changed.length + 1);
  });

  it('does not depend on the order of keys', () => {
    const base = sampleCase();
    const reversed = Object.fromEntries(Object.entries(base).reverse()) as unknown as typeof base;
    expect(caseIdOf(reversed)).toBe(caseIdOf(base));
  });
});

describe('canonicalJson', () => {
  it('is JSON of the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as unknown;
        expect(JSON.parse(canonicalJson(plain))).toEqual(plain);
      }),
    );
  });
});

describe('shortHash', () => {
  // The published test vectors of 32-bit FNV-1a.
  it.each([
    ['', '811c9dc5'],
    ['a', 'e40c292c'],
    ['foobar', 'bf9cf968'],
  ])('%j is %s', (text, hash) => {
    expect(shortHash(text)).toBe(hash);
  });
});
