import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFold } from '../../../src/core/logs/fold.ts';
import { parseIterationLine } from '../../../src/core/logs/formats/iteration-line.ts';
import { findNeedle, needleExpression, toCodes } from '../../../src/core/logs/needle.ts';
import { evidenceNeedles, evidenceRules } from '../../../src/core/logs/evidence.ts';
import { fixtureText, scanText } from './read-fixture.ts';

const text = fixtureText('megatron-f2c70ad-zero_offload-ok');
const line = text.split('\n').find((each) => each.startsWith(' iteration        5/')) ?? '';

const comparable = (state: ReturnType<typeof scanText>): unknown => ({
  ...state,
  stepMs: [...state.stepMs.values()],
  gradNorms: [...state.gradNorms.values()],
  evidence: [...state.evidence],
  cascades: [...state.cascades],
  ranks: [...state.ranks],
});

const find = (text: string): number => findNeedle(text, toCodes(text), 0);

describe('a scan', () => {
  it('reads the same whatever the pieces are', () => {
    const whole = comparable(scanText(text));
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 20_000 }), (size) => {
        expect(comparable(scanText(text, size))).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });
  it.each(['megatron-f2c70ad-zero_offload-gpu_oom-torchscript', 'deepspeed-0.19.8-crash-exception'])(
    'of %s sees what a line-by-line fold sees',
    (name) => {
      const fold = createFold();
      for (const each of fixtureText(name).replace(/\n$/, '').split('\n')) fold.push(each);
      expect(comparable({ ...fold.state, endsInsideLine: false })).toEqual(
        comparable(scanText(fixtureText(name))),
      );
    },
  );
  it('counts lines, steps and facts of the real log', () => {
    const state = scanText(text);
    expect(state).toMatchObject({
      lineCount: 529,
      iterationCount: 10,
      lastIteration: 10,
      damagedLines: 0,
      lastLoss: 7.252256,
    });
    expect([...state.stepMs.values()]).toEqual([
      5159.8, 1491.5, 1472.1, 1477.3, 1445.9, 1447, 1490.7, 1459.3, 1460.3, 1395.3,
    ]);
    expect(state.facts).toMatchObject({ parameters: '2119716864', torch: '2.11.0+cu130' });
    expect(state.memory?.gpuReservedGiB).toBeCloseTo(10860 / 1024, 6);
  });
  it('says when the log was cut inside a line', () => {
    const state = scanText(text.slice(0, text.indexOf('nan iterations:   0', 35_000)));
    expect(state.endsInsideLine).toBe(true);
    expect(state.damagedLines).toBe(1);
  });
  it('finds every needle anywhere', () => {
    for (const needle of evidenceNeedles) {
      expect(find(`xyz ${needle} tail`), needle).toBeGreaterThanOrEqual(3);
      expect(needleExpression().test(needle)).toBe(true);
    }
    expect(find('nothing of interest in this long line of text')).toBe(-1);
  });
  it('looks at every line that some rule matches', () => {
    for (const { pattern } of evidenceRules) {
      const plain = new RegExp(pattern.source.replaceAll('\\b', '').replaceAll('(?! by)', ''));
      fc.assert(
        fc.property(fc.stringMatching(plain), (each) => {
          const lines = each.split('\n').filter((part) => pattern.test(part));
          for (const part of lines) expect(needleExpression().test(part), part).toBe(true);
        }),
        { numRuns: 60 },
      );
    }
  });
  it('has a needle in every line that an evidence rule matches', () => {
    for (const rule of evidenceRules)
      for (const needle of rule.needles) expect(needle.length).toBeGreaterThan(5);
  });
});

describe('an iteration line', () => {
  it('is read by field name', () => {
    expect(parseIterationLine(line)).toMatchObject({
      iteration: 5,
      plannedIterations: 100,
      stepMs: 1445.9,
      loss: 6.273165,
      globalBatch: 8,
      sequenceLength: 1024,
      loggedTflops: 103.54,
    });
  });
  it('keeps a loss that is not finite', () => {
    expect(parseIterationLine(line.replace('6.273165E+00', 'nan'))).toMatchObject({ loss: Number.NaN });
    expect(parseIterationLine(line.replace('6.273165E+00', '-inf'))).toMatchObject({ loss: -Infinity });
  });
  it('that is cut never gives a wrong number', () => {
    const whole = parseIterationLine(line);
    for (let end = 0; end < line.length; end += 1) {
      const event = parseIterationLine(line.slice(0, end));
      if (event?.type !== 'iteration') continue;
      for (const [name, value] of Object.entries(event)) {
        if (value !== null && value !== 0 && name !== 'partial')
          expect(whole, `${name} at ${end}`).toHaveProperty(name, value);
      }
    }
  });
  it('mixed with another one never gives a wrong step time', () => {
    const other = line
      .replace('iteration        5/', 'iteration        6/')
      .replace('1445.9', '2468.1')
      .replace('5.533', '3.241')
      .replace('6.273165E+00', '3.141593E+00');
    const times = [1445.9, 2468.1, null];
    fc.assert(
      fc.property(fc.nat(line.length), fc.nat(line.length), (a, b) => {
        const event = parseIterationLine(line.slice(0, a) + other.slice(b));
        if (event?.type !== 'iteration' || event.partial === true) return;
        expect(times).toContain(event.stepMs);
      }),
      { numRuns: 3000 },
    );
  });
  it('of several ranks counts once', () => {
    const state = scanText([0, 1, 2, 3].map((rank) => `[default${rank}]:${line}\n`).join(''));
    expect(state).toMatchObject({ iterationCount: 1, otherRankIterations: 3, damagedLines: 0 });
    expect(state.ranks.size).toBe(4);
  });
  it('loses launcher prefixes and colours', () => {
    for (const prefix of ['0: ', '[rank0]:', 'node-7: [rank0]:', '\u001b[32m']) {
      expect(scanText(`${prefix}${line}\n`).iterationCount, prefix).toBe(1);
    }
  });
});
