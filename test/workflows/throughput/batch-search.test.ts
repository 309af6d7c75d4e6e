import { describe, expect, it } from 'vitest';
import type { Case } from '../../../src/core/experiment/case.ts';
import { throughputTable } from '../../../src/cli/text/throughput-table.ts';
import { measureThroughput } from '../../../src/workflows/throughput/throughput.ts';
import { sampleCase } from '../../core/sample-case.ts';
import { sampleSystem } from '../../core/sample-plan.ts';
import { contextOf, shellPlanning, type Ending } from '../frontier/shell-planning.ts';

const asked = [sampleCase({ steps: 3 }), sampleCase({ steps: 3, mode: 'ddp' })];

/** Measures on a machine that ends cases so, under the rule. */
async function measure(endOf: (subject: Case) => Ending, repeat = 1) {
  const { context } = contextOf();
  const planning = shellPlanning(endOf);
  const planVariant = (subject: Case) => {
    const [plan] = planning.planCases([subject]).plans;
    return plan === undefined ? Promise.reject(new Error('no plan')) : Promise.resolve(plan);
  };
  const result = await measureThroughput(context, planning.planCases(asked).plans, repeat, planVariant);
  return { ...result, table: throughputTable(sampleSystem(), result, []) };
}

const batchOf = (subject: Case | null): string =>
  subject === null
    ? ''
    : `${subject.microBatch}x${subject.gradientAccumulation}${subject.activationCheckpointing ? ' recompute' : ''}`;

describe('the batch rule on real processes', () => {
  it('runs each case once where its batch fits, and says nothing of a rule', async () => {
    const { records, batches, summaries, table } = await measure(() => 'runs');
    expect(records).toHaveLength(2);
    expect(summaries.map(({ record }) => batchOf(record.case))).toEqual(['8x1', '8x1']);
    expect(batches).toEqual([]);
    expect(table).not.toContain('batch rule');
  });

  it('reports the faster of accumulation and recomputation, keeps both, and repeats the one that counts', async () => {
    const { records, batches, summaries, table } = await measure((subject) => {
      if (subject.mode === 'ddp') return 'runs';
      if (subject.activationCheckpointing) return subject.microBatch > 4 ? 'gpu' : 'runs';
      return subject.microBatch > 2 ? 'gpu' : 'runsSlowly';
    }, 2);
    expect(summaries.map(({ record }) => [record.case?.mode, batchOf(record.case)])).toEqual([
      ['zero_offload', '4x2 recompute'],
      ['ddp', '8x1'],
    ]);
    expect(summaries.map(({ launches }) => launches.length)).toEqual([2, 2]);
    const [choice] = batches;
    expect(choice?.launches.find(({ why }) => why === 'accumulation')).toBeDefined();
    const ran = choice?.launches.filter(({ outcome }) => outcome === 'ok') ?? [];
    expect(ran.map((launch) => launch.modelTflops === null)).not.toContain(true);
    expect(records.filter(({ caseId }) => caseId === choice?.chosenCaseId)).toHaveLength(2);
    expect(table).toMatch(/zero_offload +2B +4 x 2 recompute/);
    expect(table).toMatch(
      /batch rule: zero_offload 2B: 8: gpu_oom; .*4 x 2 recompute: [\d.]+ TFLOPS, which counts/,
    );
  });

  it('leaves a row for a case of which no batch runs', async () => {
    const { batches, summaries, table } = await measure(({ mode }) => (mode === 'ddp' ? 'runs' : 'gpu'));
    expect(summaries[0]?.record.outcome.class).toBe('gpu_oom');
    expect(batches[0]).toMatchObject({ chosenCaseId: null, stopped: null });
    expect(table).toContain('none of them ran');
  });

  it('a host that is full ends the rule at once: no batch changes that', async () => {
    const { records } = await measure(({ mode }) => (mode === 'ddp' ? 'runs' : 'host'));
    expect(records).toHaveLength(2);
  });
});
