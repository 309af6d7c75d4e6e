import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namedSystem } from '../../../../bench/predict-measured.ts';
import { modeNames, type ModeName } from '../../../../src/core/experiment/case.ts';
import { predictFit } from '../../../../src/core/model/predict.ts';
import { modesToTune, offloadsNothing } from '../../../../src/core/tune/modes-to-tune.ts';
import { candidateKey, proposeCandidates } from '../../../../src/core/tune/propose/propose.ts';
import { cpu, h200, requestFor } from '../sample-tuning.ts';

const systems = [h200, ...['gh200', 'h100', 'a100-80g'].map(namedSystem), cpu];

describe('proposeCandidates', () => {
  it('proposes nothing that is not predicted to fit with the margin, and nothing twice', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...systems),
        fc.constantFrom('2B', '5B', '15B', '25B'),
        fc.constantFrom(1, 2, 8),
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        (system, size, perRank, memoryMargin) => {
          const budget = { maxTrials: 8, maxMinutes: 8, memoryMargin };
          const request = requestFor(size, { budget }, { microBatch: perRank, globalBatch: perRank });
          const { candidates, rejected } = proposeCandidates(request, system);
          for (const { subject, gpuGiB, hostGiB } of candidates) {
            const { memory, gpuReservedGiB, capacity } = predictFit(subject, system);
            expect([gpuGiB, hostGiB]).toEqual([gpuReservedGiB, memory.hostGiB]);
            expect(gpuGiB).toBeLessThanOrEqual((capacity.gpuGiB ?? Infinity) * (1 - memoryMargin) + 1e-6);
            expect(hostGiB).toBeLessThanOrEqual((capacity.hostGiB ?? Infinity) * (1 - memoryMargin) + 1e-6);
          }
          expect(new Set(candidates.map(candidateKey)).size).toBe(candidates.length);
          expect(candidates.length + rejected.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 6 },
    );
  });

  it('leaves alone what changes the training, and what the user has set', () => {
    const base = {
      globalBatch: 16,
      microBatch: 16,
      gradientClipping: 1,
      seed: 7,
      deepspeedOverrides: { 'superoffload.subgroup_elements': 5e6 },
    };
    const fixed = {
      microBatch: 4,
      activationCheckpointing: true,
      activationOffload: false,
      ratio: 0.8,
      bindCores: true,
    };
    const { candidates } = proposeCandidates(requestFor('5B', { fixed }, base), h200);
    expect(candidates.length).toBeGreaterThan(3);
    for (const { subject, bindCores } of candidates) {
      expect(subject).toMatchObject({ globalBatch: 16, microBatch: 4, gradientAccumulation: 4, seed: 7 });
      expect(subject).toMatchObject({
        gradientClipping: 1,
        activationCheckpointing: true,
        activationOffload: false,
      });
      expect(subject.deepspeedOverrides).toMatchObject(base.deepspeedOverrides);
      expect([null, 0.8]).toContain(subject.ratio);
      expect(bindCores).toBe(true);
    }
    expect(candidates.some(({ subject }) => subject.ratio === 0.8)).toBe(true);
  });

  it('keeps the global batch whatever the micro-batch', () => {
    for (const { subject } of proposeCandidates(requestFor('3B', {}, { chips: 1 }), h200).candidates) {
      expect(subject.microBatch * subject.gradientAccumulation).toBe(8);
    }
  });

  it('puts as much of the optimizer on the GPU as fits, and the ways back from it', () => {
    const { candidates } = proposeCandidates(requestFor('7B', { modes: ['prism_overlap'] }), h200);
    const whole = candidates.filter(
      ({ subject }) =>
        subject.microBatch === 8 &&
        !subject.activationCheckpointing &&
        Object.keys(subject.deepspeedOverrides).length === 0,
    );
    const ratios = whole.map(({ subject }) => subject.ratio ?? 0).sort((a, b) => a - b);
    expect(ratios.length).toBeGreaterThan(3);
    const [least = 0] = ratios;
    const largest = whole.find(({ subject }) => subject.ratio === least);
    expect(largest?.gpuGiB).toBeGreaterThan(0.9 * 0.95 * 139);
  });

  it('names what lacks where nothing of a mode fits', () => {
    const { candidates, rejected } = proposeCandidates(
      requestFor('15B', { modes: ['zero_offload', 'ddp'] }),
      h200,
    );
    expect(candidates).toEqual([]);
    expect(rejected.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^needs \d+\.\d GiB of host memory, 118\.8 are there with the margin$/),
      expect.stringMatching(/^needs \d+\.\d GiB of GPU memory a chip, 132\.0 are there with the margin$/),
    ]);
  });

  it('says why a mode cannot be tried at all: no overlay, no GPU', () => {
    const without = proposeCandidates(requestFor('2B', { hasOverlay: false }), h200);
    const overlay = without.rejected.find(({ subject }) => subject.mode === 'prism_overlap');
    expect(overlay?.reason).toMatch(/superoffload install/);
    const settings = without.candidates.flatMap(({ subject }) => Object.keys(subject.deepspeedOverrides));
    expect(settings.filter((key) => key.startsWith('superoffload.'))).toEqual([]);
    const onCpu = proposeCandidates(requestFor('tiny', {}, { chips: 2 }), cpu);
    const prism = onCpu.rejected.find(({ subject }) => subject.mode === 'prism');
    expect(prism?.reason).toMatch(/NVIDIA GPU/);
  });

  it('has the overlap optimizer step all of it on the GPU where that fits, and leaves no other ratio to a published mode', () => {
    const ratios = (size: string, mode: ModeName): (number | null)[] =>
      proposeCandidates(requestFor(size, { modes: [mode] }), h200).candidates.map(
        ({ subject: { ratio } }) => ratio,
      );
    expect(Math.min(...ratios('2B', 'prism_overlap').map(Number))).toBe(0);
    expect(ratios('2B', 'prism_overlap')).toContain(0.05);
    expect(Math.min(...ratios('2B', 'prism').map(Number))).toBe(0.05);
    expect(Math.min(...ratios('10B', 'prism_overlap').map(Number))).toBeGreaterThan(0.05);
    const [whole] = proposeCandidates(
      requestFor('2B', { modes: ['prism_overlap'], fixed: { ...requestFor('2B').fixed, ratio: 0 } }),
      h200,
    ).candidates;
    expect(whole?.why.slice(0, 2)).toEqual([
      'everything fits on the GPU',
      'ratio 0: the whole optimizer on the accelerator',
    ]);
  });

  it("keeps a mode's own ratio on CPU ranks, whose memory is one: what other runs had is a candidate too", () => {
    const { candidates } = proposeCandidates(
      requestFor('tiny', { modes: ['prism_overlap'] }, { chips: 2 }),
      cpu,
    );
    expect(new Set(candidates.map(({ subject }) => subject.ratio))).toEqual(new Set([1]));
  });

  it('orders what no rate is known for by assumed rates, and predicts nothing of it', () => {
    const { candidates } = proposeCandidates(requestFor('tiny', {}, { chips: 2 }), cpu);
    expect(candidates.length).toBeGreaterThan(2);
    expect(candidates.every(({ predictedStepMs }) => predictedStepMs === null)).toBe(true);
    expect(candidates.map(({ orderMs }) => orderMs)).toEqual(
      candidates.map(({ orderMs }) => orderMs).sort((a, b) => a - b),
    );
    const h100 = proposeCandidates(requestFor('2B'), namedSystem('h100')).candidates;
    const known = h100.filter(({ predictedStepMs }) => predictedStepMs !== null);
    const offloads = known.filter(({ subject }) => !offloadsNothing(subject));
    expect(offloads).toEqual([]);
    expect(new Set(known.map(({ subject }) => subject.mode))).toContain('zero_3');
    expect(known.length).toBeLessThan(h100.length);
  });

  it('tries bound cores where there are NUMA nodes to bind to, and the system does not bind itself', () => {
    const bound = (numaNodes: number, system = h200): boolean =>
      proposeCandidates(requestFor('2B', { numaNodes }), system).candidates.some(
        ({ bindCores }) => bindCores,
      );
    expect([bound(1), bound(2), bound(2, namedSystem('h100'))]).toEqual([false, true, false]);
  });

  it('keeps activations on the host only where the GPU has no room for them', () => {
    const { candidates } = proposeCandidates(requestFor('2B'), h200);
    expect(candidates.some(({ subject }) => subject.activationOffload)).toBe(false);
    const long = requestFor('2B', {}, { sequenceLength: 65_536, globalBatch: 8, microBatch: 8 });
    const kept = proposeCandidates(long, h200).candidates.filter(({ subject }) => subject.activationOffload);
    expect(kept.length).toBeGreaterThan(0);
  });

  it('gives a candidate that was shown to need less what it has room for, and one that needs more less', () => {
    const request = requestFor('7B', { modes: ['prism_overlap'] });
    const least = (factor: number): number => {
      const { candidates } = proposeCandidates(request, h200, () => ({ gpu: factor, host: 1 }));
      const same = candidates.filter(
        ({ subject }) => subject.microBatch === 8 && !subject.activationCheckpointing,
      );
      return Math.min(...same.map(({ subject }) => subject.ratio ?? 1));
    };
    expect(least(0.9)).toBeLessThan(least(1));
    expect(least(1.1)).toBeGreaterThan(least(1));
  });
});

describe('modesToTune', () => {
  const modesOf = (...words: string[]): readonly ModeName[] => {
    const result = modesToTune(words);
    return result.ok ? result.modes : [];
  };

  it('knows groups and single modes, without regard to spelling', () => {
    expect(modesOf('prism')).toEqual(['prism', 'prism_overlap', 'prism_ulysses']);
    expect(modesOf('SuperOffload')).toEqual(modesOf('prism'));
    expect(modesOf('none')).toEqual(['ddp', 'zero_2', 'zero_3', 'ulysses']);
    expect(modesOf('prism_overlap', 'zero-2')).toEqual(['prism_overlap', 'zero_2']);
    expect(modesOf('zero-offload', 'zero_offload')).toEqual(['zero_offload']);
    expect(new Set(modesOf('prism', 'zero_offload', 'zero_infinity', 'none'))).toEqual(new Set(modeNames));
  });

  it('names a word that is none', () => {
    expect(modesToTune(['prism', 'fast'])).toMatchObject({
      ok: false,
      faults: [{ place: '--mode', problem: 'there is no mode "fast"' }],
    });
  });
});
