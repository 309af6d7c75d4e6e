import { describe, expect, it } from 'vitest';
import { outcomeClasses, type OutcomeClass } from '../../../src/core/logs/events.ts';
import { campaignExitCode, casesExitCode } from '../../../src/core/results/exit-code.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { goodLog, recordOf } from '../sample-record.ts';

const good = recordOf(goodLog());
const record = (outcomeClass: OutcomeClass, caseId = 'a'): RunRecord => ({
  ...good,
  caseId,
  outcome: { ...good.outcome, class: outcomeClass },
});
const code = (records: readonly RunRecord[], askedByName = false, unsupportedAskedFor = false): number =>
  casesExitCode(records, { askedByName, unsupportedAskedFor });

describe('casesExitCode', () => {
  it.each(['gpu_oom', 'host_oom', 'shm_full', 'nan_or_inf'] as const)(
    '%s is an answer in a grid, and a failure when it is the one case asked for',
    (outcome) => {
      expect(code([record(outcome), record('ok', 'b')], true)).toBe(0);
      expect(code([record(outcome)], false)).toBe(0);
      expect(code([record(outcome)], true)).toBe(4);
      expect(code([record('ok'), record(outcome)], true)).toBe(4);
    },
  );

  it.each([
    'crash',
    'hang',
    'killed_unknown',
    'config_error',
    'launch_error',
    'install_error',
    'worker_dead',
    'nccl_timeout',
    'time_limit',
    'node_fail',
    'preempted',
    'incomplete',
    'cancelled',
  ] as const)('%s is no answer: 4 anywhere', (outcome) => {
    expect(code([record('ok', 'b'), record(outcome)])).toBe(4);
  });

  it('is 0 for what worked, 3 where something asked for cannot run here, and the highest of several', () => {
    expect(code([record('ok')], true)).toBe(0);
    expect(code([record('ok')], true, true)).toBe(3);
    expect(code([record('crash')], true, true)).toBe(4);
    expect(code([], false)).toBe(0);
  });

  it('knows every class: only these may end a grid with 0', () => {
    const harmless = outcomeClasses.filter((outcome) => code([record(outcome), record('ok', 'b')]) === 0);
    expect(harmless).toEqual([
      'ok', 'gpu_oom', 'host_oom', 'shm_full', 'nan_or_inf', 'loss_scale_floor', 'unsupported',
    ]); // prettier-ignore
  });

  it('is the same rule for a campaign', () => {
    for (const outcome of outcomeClasses)
      expect(campaignExitCode([{ outcome, state: 'done' }], { unsupportedAskedFor: false }), outcome).toBe(
        code([record(outcome), record('ok', 'b')]),
      );
  });
});
