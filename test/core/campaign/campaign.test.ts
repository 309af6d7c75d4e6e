import { describe, expect, it } from 'vitest';
import { cellOf, launcherOf } from '../../../src/core/campaign/cell.ts';
import { campaignChanges, describeChanges, isUnchanged } from '../../../src/core/campaign/changes.ts';
import { filterFaults, parseFilter, passes } from '../../../src/core/campaign/filter.ts';
import { parseJournal, type CampaignEvent } from '../../../src/core/campaign/journal.ts';
import { parseRetry, standingOf } from '../../../src/core/campaign/retry-policy.ts';
import { plainSite } from '../../../src/core/experiment/case.ts';
import { launchCounts, type CellState } from '../../../src/core/campaign/state.ts';
import { outcomeClasses, type OutcomeClass } from '../../../src/core/logs/events.ts';
import { sampleCase } from '../sample-case.ts';
import { samplePlan, sampleSystem } from '../sample-plan.ts';
import { retryOf, sampleCell, sha256 } from './sample-cell.ts';

const utc = '2026-01-02T03:04:05.678Z';

describe('the key of a cell', () => {
  it('follows everything that changes what is measured', () => {
    const { key } = sampleCell();
    const others = [
      sampleCell({ steps: 31 }),
      sampleCell({ seed: 1 }),
      sampleCell({}, { deepspeedConfig: { train_batch_size: 9 } }),
      sampleCell({}, { stack: { name: 'pip', hash: 'other', torch: '2.15.0', deepspeed: '0.19.8' } }),
      sampleCell({}, { system: sampleSystem({ name: 'gh200' }) }),
      sampleCell({}, { launcher: 'torchrun' }),
      sampleCell({}, { exclusiveHost: true }),
      // The same name, and another machine.
      sampleCell({}, { system: sampleSystem({ gpuName: 'H200 NVL' }) }),
      sampleCell({}, { system: sampleSystem({ cores: 8 }) }),
      sampleCell({}, { system: sampleSystem({ site: { ...plainSite, env: { NCCL_DEBUG: 'INFO' } } }) }),
    ];
    expect(new Set([key, ...others.map((cell) => cell.key)]).size).toBe(others.length + 1);
  });

  it('follows nothing else: port, paths, limits and the order of keys', () => {
    const { key } = sampleCell({}, { deepspeedConfig: { a: 1, b: 2 } });
    const same = [
      { deepspeedConfig: { b: 2, a: 1 } },
      { deepspeedConfig: { a: 1, b: 2 }, port: 1, python: '/other/python' },
      { deepspeedConfig: { a: 1, b: 2 }, limits: { timeoutMs: 5 }, maxError: null },
    ].map((inputs) => sampleCell({}, inputs).key);
    expect(new Set([key, ...same]).size).toBe(1);
  });

  it('is none for a command of the user', () => {
    expect(cellOf({ ...samplePlan(), case: null }, sha256)).toBeNull();
  });

  it('reads the launcher off the command of every plan', () => {
    const names = ['python', 'torchrun', 'deepspeed', 'srun'] as const;
    for (const launcher of names) expect(launcherOf(samplePlan({}, { launcher }))).toBe(launcher);
  });
});

describe('the journal', () => {
  const first: CampaignEvent = { type: 'attempt', utc, key: 'k', runId: '1' };
  const line = `${JSON.stringify(first)}\n`;

  it('loses only the line that a crash has cut', () => {
    for (let cut = 0; cut < line.length - 1; cut += 1)
      expect(parseJournal(line + line.slice(0, cut))).toEqual([first]);
    expect(parseJournal(line + line)).toEqual([first, first]);
  });

  it('passes over a cut line that was gone on from, and over events of a later version', () => {
    expect(parseJournal(`${line.slice(0, 20)}\n{"type":"of later"}\n3\nnull\n${line}`)).toEqual([first]);
  });
});

describe('--filter', () => {
  const cases = [
    sampleCase({ chips: 1, mode: 'prism' }),
    sampleCase({ chips: 4, mode: 'prism' }),
    sampleCase({ chips: 4, mode: 'zero_offload' }),
  ];
  const chosen = (...words: string[]): string[] => {
    const parsed = parseFilter(words);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
    expect(filterFaults(parsed.filter, cases)).toEqual([]);
    return cases.filter((each) => passes(each, parsed.filter)).map(({ mode, chips }) => `${mode} ${chips}`);
  };

  it('takes cases with one of the values of every key', () => {
    expect(chosen()).toHaveLength(3);
    expect(chosen('chips=4')).toEqual(['prism 4', 'zero_offload 4']);
    expect(chosen('chips=1,4,mode=prism')).toEqual(['prism 1', 'prism 4']);
    expect(chosen('chips=4', 'mode=prism')).toEqual(['prism 4']);
    expect(chosen('mode=superoffload, zero-offload')).toHaveLength(3);
  });

  it.each([
    ['chip=4', 'there is no key "chip"', 'chips'],
    ['4', '"4" names no key', 'KEY=VALUE, such as chips=4,mode=prism'],
    ['chips=', '"chips=" has no value', 'chips=VALUE'],
    ['mode=prism,,chips=4', '"" has no value', 'mode=VALUE'],
  ])('says what is wrong with %s', (word, problem, expected) => {
    const parsed = parseFilter([word]);
    expect(parsed).toMatchObject({ ok: false, faults: [{ place: `--filter ${word}`, problem, expected }] });
  });

  it('names the values that there are where none has the one asked for', () => {
    const parsed = parseFilter(['chips=2,model=2b']);
    expect(parsed.ok && filterFaults(parsed.filter, cases)).toEqual([
      { place: '--filter chips=2', problem: 'no case has it', expected: '1' },
      { place: '--filter model=2b', problem: 'no case has it', expected: '2B' },
    ]);
  });

  it('says so where some have each and none has all', () => {
    const parsed = parseFilter(['chips=1,mode=zero_offload']);
    expect(parsed.ok && filterFaults(parsed.filter, cases)).toEqual([
      {
        place: '--filter chips=1,mode=zero_offload',
        problem: 'no case has all of it',
        expected: 'with chips=1 there is mode=prism',
      },
    ]);
  });
});

describe('--retry', () => {
  it('names classes, and never one that a next launch would answer alike', () => {
    expect(parseRetry(['infra', 'hang'])).toMatchObject({ ok: true });
    expect(parseRetry(['oom', 'gpu_oom', 'interrupted'])).toMatchObject({
      ok: false,
      faults: [
        { place: '--retry oom', problem: 'is no end of a run' },
        { place: '--retry gpu_oom', problem: 'is an answer, and the next launch would give the same' },
        { place: '--retry interrupted', problem: expect.stringContaining('--resume') as string },
      ],
    });
  });

  it('knows where every end of a run stands', () => {
    for (const name of outcomeClasses)
      expect(standingOf(name)).toMatch(/^(answer|stopped|infrastructure|failure)$/);
  });
});

describe('a campaign that was changed', () => {
  const then = [
    sampleCell({ mode: 'prism' }),
    sampleCell({ mode: 'zero_offload' }),
    sampleCell({ chips: 4 }),
  ];

  it('is told from one that was not', () => {
    expect(isUnchanged(campaignChanges(then, [...then].reverse()))).toBe(true);
  });

  it('says what was added, removed and changed', () => {
    const now = [
      sampleCell({ mode: 'prism', steps: 20 }),
      then[1]!,
      sampleCell({ model: { ...sampleCase().model, name: '5B' } }),
    ];
    const lines = describeChanges(campaignChanges(then, now));
    expect(lines).toEqual([
      expect.stringMatching(/^added: zero_offload, 5B/),
      expect.stringMatching(/^removed: zero_offload, 2B, 4 chips/),
      expect.stringMatching(/^changed: prism, 2B.*: steps 30 -> 20$/),
    ]);
  });

  it('says once what changed for all', () => {
    const stack = { name: 'pip', hash: 'def456', torch: '2.15.0', deepspeed: '0.19.8' };
    const now = then.map((cell) => sampleCell(cell.case, { stack }));
    expect(describeChanges(campaignChanges(then, now))).toEqual([
      'changed: 3 cases: stack lock abc123 -> def456',
    ]);
  });

  it('compares ten thousand cells without comparing each with each', () => {
    const many = Array.from({ length: 10_000 }, (_, seed) => ({
      ...then[0]!,
      key: String(seed),
      case: sampleCase({ chips: 1 + seed }),
    }));
    const changes = campaignChanges(
      many,
      many.map((cell) => ({ ...cell, key: `${cell.key}'` })),
    );
    expect(changes.changed).toHaveLength(10_000);
  });
});

describe('the launches of a campaign', () => {
  const rules = { repeat: 3, retry: retryOf('infra'), maxRetries: 2 };
  const stateOf = (...outcomes: readonly OutcomeClass[]): CellState => ({
    cell: sampleCell(),
    attempts: outcomes.map((outcome, launch) => {
      return { runId: String(launch), outcome, durationMs: 1, adopted: false, isOfSession: true };
    }),
  });

  it('count before their case is whole, and one that was lost counts as the one in its place', () => {
    expect(launchCounts([stateOf('ok', 'ok'), stateOf('killed_unknown', 'ok'), stateOf()], rules)).toEqual({
      done: 3,
      total: 9,
    });
  });

  it('are fewer where a case has its answer before the last', () => {
    expect(launchCounts([stateOf('gpu_oom'), stateOf('ok')], rules)).toEqual({ done: 2, total: 4 });
    expect(launchCounts([stateOf('gpu_oom'), stateOf('ok', 'ok', 'ok')], rules)).toEqual({
      done: 4,
      total: 4,
    });
  });
});
