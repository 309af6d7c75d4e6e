import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJournal, type CampaignEvent } from '../../../src/core/campaign/journal.ts';
import { nextMove, type DriveOptions } from '../../../src/core/campaign/next.ts';
import { cellStanding, statesOf } from '../../../src/core/campaign/state.ts';
import type { OutcomeClass } from '../../../src/core/logs/events.ts';
import { retryOf, sampleCell, sampleOptions } from './sample-cell.ts';

const cells = [1, 2, 3].map((seed) => sampleCell({ seed }));
const [a, b, c] = cells.map(({ key }) => key) as [string, string, string];
const utc = '2026-01-02T03:04:05.678Z';
const session: CampaignEvent = { type: 'session', utc, toolPid: 1, cells: 3 };

function attempt(key: string, runId: string): CampaignEvent {
  return { type: 'attempt', utc, key, runId };
}

function result(key: string, runId: string, outcome: OutcomeClass): CampaignEvent {
  return { type: 'result', utc, key, runId, outcome, durationMs: 1_000 };
}

/** The move in words. */
function move(
  journal: readonly CampaignEvent[],
  change: Partial<DriveOptions> = {},
  followed: readonly string[] = [],
): string {
  const decision = nextMove(statesOf(cells, journal), new Set(followed), sampleOptions(change), 0);
  const which = 'state' in decision ? ' abc'[1 + cells.indexOf(decision.state.cell)] : '';
  return [decision.move, which, decision.move === 'attach' ? decision.runId : '']
    .filter((word) => word !== '')
    .join(' ');
}

describe('nextMove', () => {
  it('starts the cells in their order, then is done', () => {
    expect(move([])).toBe('start a');
    expect(move([result(a, '1', 'ok')])).toBe('start b');
    expect(move([result(a, '1', 'ok'), result(b, '2', 'gpu_oom')])).toBe('start c');
    expect(move([result(a, '1', 'ok'), result(b, '2', 'gpu_oom'), result(c, '3', 'crash')])).toBe('done');
  });

  it('gives every cell its first launch before any has its second', () => {
    const once = [result(a, '1', 'ok'), result(b, '2', 'ok')];
    expect(move(once, { repeat: 2 })).toBe('start c');
    expect(move([...once, result(c, '3', 'ok')], { repeat: 2 })).toBe('start a');
    expect(move([...once, result(c, '3', 'ok'), result(a, '4', 'ok')], { repeat: 2 })).toBe('start b');
  });

  it('attaches to a launch that nobody follows, whatever the number of jobs', () => {
    expect(move([attempt(a, '1')])).toBe('attach a 1');
    expect(move([attempt(a, '1'), attempt(b, '2')], {}, [a])).toBe('attach b 2');
  });

  it('waits while as many run as may, or nothing else is to start', () => {
    expect(move([attempt(a, '1')], {}, [a])).toBe('wait');
    expect(move([attempt(a, '1')], { maxJobs: 2 }, [a])).toBe('start b');
    const last = [result(a, '1', 'ok'), result(b, '2', 'ok'), attempt(c, '3')];
    expect(move(last, { maxJobs: 2 }, [c])).toBe('wait');
  });

  it('launches again what the infrastructure lost, after the others, and not for ever', () => {
    const lost = [result(a, '1', 'node_fail')];
    expect(move(lost)).toBe('start b');
    const others = [...lost, result(b, '2', 'ok'), result(c, '3', 'ok')];
    expect(move(others)).toBe('retry a');
    expect(move([...others, result(a, '4', 'nccl_timeout')])).toBe('retry a');
    expect(move([...others, result(a, '4', 'nccl_timeout'), result(a, '5', 'launch_error')])).toBe('done');
    expect(move(others, { maxRetries: 0 })).toBe('done');
    expect(move(others, { retry: retryOf('none') })).toBe('done');
  });

  it('never launches again what ran out of memory', () => {
    for (const outcome of ['gpu_oom', 'host_oom', 'shm_full'] as const) {
      const all = [result(a, '1', outcome), result(b, '2', 'ok'), result(c, '3', 'ok')];
      expect(move(all, { retry: retryOf('failed'), repeat: 1 })).toBe('done');
    }
  });

  it('leaves what a person stopped for the next session', () => {
    const stopped = [session, result(a, '1', 'cancelled'), result(b, '2', 'ok'), result(c, '3', 'ok')];
    expect(move(stopped)).toBe('done');
    expect(move([...stopped, session])).toBe('start a');
  });

  it('begins nothing that would not end in time, and what is shorter instead', () => {
    const minutes = { [a]: 10, [b]: 2, [c]: 30 } as Readonly<Record<string, number>>;
    const expectedMs: DriveOptions['expectedMs'] = ({ cell }) => (minutes[cell.key] ?? 0) * 60_000;
    const within = { deadlineMs: 5 * 60_000, expectedMs };
    expect(move([], within)).toBe('start b');
    const decision = nextMove(statesOf(cells, [result(b, '1', 'ok')]), new Set(), sampleOptions(within), 0);
    expect(decision).toMatchObject({ move: 'done', left: [{ cell: { key: a } }, { cell: { key: c } }] });
  });

  it('counts what waits in the queue before', () => {
    const expectedMs = (): number => 60_000;
    const array = { expectedMs, maxJobs: Number.POSITIVE_INFINITY, atOnce: 1, deadlineMs: 150_000 };
    expect(move([], array)).toBe('start a');
    expect(move([attempt(a, '1')], array, [a])).toBe('start b');
    expect(move([attempt(a, '1'), attempt(b, '2')], array, [a, b])).toBe('wait');
  });

  it('starts nothing of unknown duration once the time is over', () => {
    const decision = nextMove(statesOf(cells, []), new Set(), sampleOptions({ deadlineMs: 10 }), 11);
    expect(decision).toMatchObject({ move: 'done', left: { length: 3 } });
  });
});

/** What is on the disks of the machine, and goes on when the tool is killed. */
interface World {
  journal: string;
  /** Runs that were started, and how each will end. */
  readonly runs: Map<string, { readonly key: string; readonly outcome: OutcomeClass }>;
}

/** One tool from its start until it is done or is killed: it may take so many breaths. */
function drive(
  world: World,
  options: DriveOptions,
  fate: (key: string) => OutcomeClass,
  breaths: number,
): boolean {
  let left = breaths;
  const isKilled = (): boolean => (left -= 1) < 0;
  /** The kernel writes all of a line, none, or a part of it when the machine goes down. */
  const append = (event: CampaignEvent): boolean => {
    const line = `${JSON.stringify(event)}\n`;
    if (isKilled()) {
      world.journal += line.slice(0, world.journal.length % (line.length + 1));
      return false;
    }
    world.journal += line;
    return true;
  };
  if (world.journal !== '' && !world.journal.endsWith('\n')) world.journal += '\n';
  if (!append(session)) return false;
  const followed = new Map<string, string>();
  for (;;) {
    const states = statesOf(cells, parseJournal(world.journal));
    const decision = nextMove(states, new Set(followed.keys()), options, 0);
    if (decision.move === 'done') return true;
    if (decision.move === 'attach') followed.set(decision.state.cell.key, decision.runId);
    if (decision.move === 'start' || decision.move === 'retry') {
      const { key } = decision.state.cell;
      const runId = `${key.slice(0, 8)}-${world.runs.size}-${world.journal.length}`;
      if (!append(attempt(key, runId)) || isKilled()) return false;
      world.runs.set(runId, { key, outcome: fate(key) });
      followed.set(key, runId);
    }
    if (decision.move === 'wait') {
      const [key, runId] = [...followed].at(left % followed.size)!;
      const run = world.runs.get(runId);
      const told =
        run === undefined ? ({ type: 'void', utc, key, runId } as const) : result(key, runId, run.outcome);
      if (!append(told)) return false;
      followed.delete(key);
    }
  }
}

describe('a campaign that is killed anywhere', () => {
  const outcomes = ['ok', 'ok', 'gpu_oom', 'node_fail', 'crash', 'killed_unknown'] as const;

  it('ends with every cell settled, every run counted once, and none run that was not needed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(40), { maxLength: 12 }),
        fc.record({ repeat: fc.integer({ min: 1, max: 3 }), maxJobs: fc.integer({ min: 1, max: 4 }) }),
        fc.array(fc.constantFrom(...outcomes), { minLength: 40, maxLength: 40 }),
        (kills, change, fates) => {
          const world: World = { journal: '', runs: new Map() };
          const options = sampleOptions(change);
          const queue = [...fates];
          const fate = (): OutcomeClass => queue.shift() ?? 'ok';
          for (const breaths of kills) drive(world, options, fate, breaths);
          expect(drive(world, options, fate, 1_000)).toBe(true);

          const states = statesOf(cells, parseJournal(world.journal));
          for (const state of states) expect(cellStanding(state, options)).toBe('settled');
          // Nothing is lost and nothing is made up: what was started is what has a result.
          const told = states.flatMap(({ cell, attempts }) =>
            attempts.map(({ runId, outcome }) => [runId, cell.key, outcome]),
          );
          const started = [...world.runs].map(([runId, { key, outcome }]) => [runId, key, outcome]);
          expect(told.sort()).toEqual(started.sort());
          for (const { attempts } of states) {
            const ok = attempts.filter(({ outcome }) => outcome === 'ok').length;
            const oom = attempts.filter(({ outcome }) => outcome === 'gpu_oom').length;
            const lost = attempts.filter(({ outcome }) => options.retry.has(outcome ?? 'ok')).length;
            expect(ok).toBeLessThanOrEqual(options.repeat);
            expect(oom).toBeLessThanOrEqual(1);
            expect(lost).toBeLessThanOrEqual(options.maxRetries + 1);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
