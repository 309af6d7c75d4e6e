import { describe, expect, it } from 'vitest';
import type { Mark } from '../../../../src/core/figures/figure-data.ts';
import type { OutcomeClass } from '../../../../src/core/logs/events.ts';
import { launches, type Launch } from '../launches.ts';
import { built, machineOf, markAt } from '../scene-inputs.ts';

describe('the largest model', () => {
  const sizes = { '4B': [64, 2304], '5B': [44, 3072], '6B': [53, 3072] } as const;
  const tried = (name: keyof typeof sizes, outcome: OutcomeClass): Launch => {
    const [layers, hidden] = sizes[name];
    const model = { name, layers, hidden, heads: 32, paddedVocabulary: 50432 };
    return {
      subject: {
        experiment: 'model_size',
        mode: 'prism',
        model,
        microBatch: 1,
        globalBatch: 1,
        sequenceLength: 2048,
        activationCheckpointing: true,
      },
      outcome,
      change: outcome === 'ok' ? { lastIteration: 4, skippedIterations: 0 } : { lastIteration: null },
    };
  };
  const edge = (...given: readonly Launch[]): Mark =>
    markAt(built(13, machineOf(launches(...given))), 'measured', 'paper prism 1');

  it('is an edge only where the next size failed twice', () => {
    const once = edge(tried('4B', 'ok'), tried('5B', 'host_oom'));
    expect(once).toMatchObject({
      state: 'value',
      notes: ['at least: 4B runs, 5B is out of host memory, the edge is not proven'],
    });
    const twice = edge(tried('4B', 'ok'), tried('5B', 'host_oom'), tried('5B', 'host_oom'));
    expect(twice).toMatchObject({
      state: 'value',
      wall: 'host',
      notes: ['4B runs, 5B is out of host memory'],
    });
  });

  it('is no edge where a size between the two was never tried', () => {
    const mark = edge(tried('4B', 'ok'), tried('6B', 'host_oom'), tried('6B', 'host_oom'));
    expect(mark.notes).toEqual(['at least: 4B runs, 6B is out of host memory, the edge is not proven']);
  });

  it('is at least what ran where nothing failed, and out of memory where nothing ran', () => {
    expect(edge(tried('4B', 'ok'))).toMatchObject({
      state: 'value',
      notes: ['at least: nothing is known above 4B'],
    });
    expect(edge(tried('5B', 'host_oom'))).toMatchObject({
      state: 'oom',
      wall: 'host',
      notes: ['5B does not run, nothing smaller was tried'],
    });
    expect(edge(tried('5B', 'crash'))).toMatchObject({ state: 'failed', value: null });
  });

  it('knows no edge of a machine that has only a crash above what ran', () => {
    expect(edge(tried('4B', 'ok'), tried('5B', 'crash')).notes).toEqual([
      'at least: nothing is known above 4B',
    ]);
  });
});
