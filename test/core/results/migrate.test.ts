import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseIdOf } from '../../../src/core/experiment/case-id.ts';
import { plainSite, unknownRates } from '../../../src/core/experiment/case.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { migratePlan, migrateRecord } from '../../../src/core/results/migrate.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { goodLog, recordOf } from '../sample-record.ts';

/** Records as each version of the tool wrote them, the oldest first. */
const folder = new URL('../../fixtures/records/', import.meta.url);
const names = readdirSync(folder)
  .filter((name) => /^\d.*\.json$/.test(name))
  .sort();

type Json = Record<string, unknown>;

function stored(name: string): Json {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Json;
}

function migrated(value: unknown): RunRecord {
  const read = migrateRecord(value);
  if (!read.ok) throw new Error(read.problem);
  return read.record;
}

function problemOf(value: unknown): string {
  const read = migrateRecord(value);
  return read.ok ? 'none' : read.problem;
}

describe('records of every age', () => {
  it.each(names)('%s has all that a record of today has, and keeps all that it had', (name) => {
    const old = stored(name);
    const record = migrated(old);
    const today = recordOf(goodLog());
    const lacking = Object.keys(today).filter((key) => !(key in record) && key !== 'placement');
    expect(lacking).toEqual([]);
    expect(record.tool).toEqual(old['tool'] ?? null);
    expect(record.system.site).toBeDefined();
    expect(record.system.hostGiBPerChip).not.toBeUndefined();
    expect(record.exit.plannedAccelerator).not.toBeUndefined();
    for (const part of [
      'stepMs',
      'statistics',
      'throughput',
      'memory',
      'outcome',
      'conditions',
      'runId',
    ] as const) {
      expect(record[part]).toEqual(old[part]);
    }
    expect(record.system).toMatchObject(old['system'] as Json);
    if (record.case !== null) {
      expect(record.case).toMatchObject(old['case'] as Json);
      expect(record.caseId).toBe(caseIdOf(record.case));
    }
  });

  it('what was true before a case could say otherwise', () => {
    const record = migrated(stored('1-no-tool.json'));
    expect(record.case).toMatchObject({
      workload: 'builtin',
      sequenceParallel: 1,
      activationOffload: false,
      attention: 'sdpa',
      fp16LmCrossEntropy: false,
      vocabFile: null,
      mergeFile: null,
    });
    expect(record.system).toMatchObject({ site: plainSite, rates: unknownRates });
    expect(record.system.hostGiBPerChip).toBeCloseTo(
      (record.system.hostGiB ?? 0) / record.system.chipsPerNode,
      9,
    );
    expect(record.exit.plannedAccelerator).toBe('cpu');
    expect(record.placement).toMatchObject({ binding: 'none', exclusiveHost: false });
  });

  it('a run of an older version and one of today are runs of the same case', () => {
    const today = migrated(stored('3-no-workload-in-case.json'));
    expect(today.caseId).not.toBe(stored('3-no-workload-in-case.json')['caseId']);
    // Reading it again, as a newer version would have written it, changes nothing.
    expect(migrated(JSON.parse(JSON.stringify(today)))).toEqual(today);
  });

  it('where binding was possible and nobody wrote it down, nobody knows it', () => {
    expect(migrated(stored('5-no-placement.json')).placement).toBeUndefined();
  });

  it('a loss that would be computed in chunks today was computed at once then', () => {
    const old = stored('4-no-site.json');
    expect(migrated(old).case).not.toHaveProperty('lossChunk');
    const long = { ...old, case: { ...(old['case'] as Json), sequenceLength: 65_536, microBatch: 1 } };
    expect(migrated(long).case?.lossChunk).toBe(65_536);
    // With a placement it is a record of after the rule.
    expect(migrated({ ...long, placement: {} }).case).not.toHaveProperty('lossChunk');
  });

  it('the overlap optimizer was a key of the JSON before it was a mode', () => {
    const today = recordOf(goodLog());
    const overrides = { 'superoffload.optimizer': 'overlap', 'superoffload.speculation': 0 };
    const old = { ...today.case!, mode: 'prism' as const, deepspeedOverrides: overrides };
    const title = 'megatron, prism, 2B, 1 chip';
    const record = migrated(JSON.parse(JSON.stringify({ ...today, title, case: old })));
    expect(record.title).toBe('megatron, prism_overlap, 2B, 1 chip');
    const plan = { title: 'prism, 2B, 1 chip', caseId: today.caseId, case: old } as unknown as RunPlan;
    expect(migratePlan(plan)).toEqual({
      ...{ title: 'prism_overlap, 2B, 1 chip', caseId: record.caseId, case: record.case },
    });
    const published = { ...plan, case: { ...old, deepspeedOverrides: {} } };
    expect(migratePlan(published)).toBe(published);
    const deepspeedOverrides = { 'superoffload.speculation': 0 };
    expect(record.case).toEqual({ ...old, mode: 'prism_overlap', deepspeedOverrides });
    expect(record.caseId).toBe(caseIdOf(record.case!));
  });

  it('a record of today stays as it is', () => {
    const record = recordOf(goodLog());
    expect(migrated(JSON.parse(JSON.stringify(record)))).toEqual(JSON.parse(JSON.stringify(record)));
  });
});

describe('what is no record', () => {
  const good = JSON.parse(JSON.stringify(recordOf(goodLog()))) as Json;

  it.each([
    [{ ...good, schemaVersion: 2 }, 'schema version 2 is newer than 1, the newest known here'],
    [{}, 'not a file that superoffload wrote: it has no schemaVersion, runId, outcome'],
    [null, 'not a record of a run: it is no JSON object'],
    [[], 'not a record of a run'],
    ['text', 'not a record of a run'],
    [{ ...good, runId: '../../etc/passwd' }, 'runId is no id of a run'],
    [{ ...good, startedUtc: 'yesterday' }, 'startedUtc is no time'],
    [{ ...good, workload: '<b>' }, 'workload is none that is known'],
    [{ ...good, outcome: { class: 'superb' } }, 'outcome.class is none that is known'],
    [{ ...good, stepMs: [1, null, 2] }, 'stepMs[1] is no time'],
    [{ ...good, stepMs: [1, Number.POSITIVE_INFINITY] }, 'stepMs[1] is no time'],
    [{ ...good, stepMs: 'many' }, 'stepMs is no list'],
    [{ ...good, memory: { hostGiB: Number.POSITIVE_INFINITY } }, 'memory.hostGiB is not finite'],
    [{ ...good, statistics: { medianMs: null } }, 'statistics.medianMs is no number'],
    [{ ...good, case: { ...(good['case'] as Json), chips: '4' } }, 'chips of its case is no number'],
    [{ ...good, case: { ...(good['case'] as Json), model: null } }, 'case.model is no object'],
  ])('%#: %s', (value, problem) => {
    expect(problemOf(value)).toContain(problem);
  });

  it('says of a newer one that it is newer, and of no other', () => {
    expect(migrateRecord({ ...good, schemaVersion: 2 })).toMatchObject({ ok: false, isNewer: true });
    expect(migrateRecord({})).toMatchObject({ ok: false, isNewer: false });
  });

  it('never throws, whatever a file holds', () => {
    const anything = fc.dictionary(fc.constantFrom(...Object.keys(good)), fc.jsonValue());
    fc.assert(
      fc.property(anything, fc.jsonValue(), (change, other) => {
        const read = migrateRecord({ ...good, ...change });
        if (read.ok) expect(read.record.stepMs.every(Number.isFinite)).toBe(true);
        expect(migrateRecord(other).ok).toBe(false);
      }),
    );
  });
});
