import { readFileSync } from 'node:fs';
import { abReport } from '../src/core/gate/ab/ab-report.ts';
import { whyStop, type AbLimits } from '../src/core/gate/ab/next.ts';
import { orderOf, turnsOf, type AbLaunch } from '../src/core/gate/ab/turns.ts';
import { runGate } from '../src/core/gate/gate.ts';
import { makeReferences } from '../src/core/gate/make-references.ts';
import type { Verdict } from '../src/core/gate/report.ts';
import type { RunRecord } from '../src/core/results/record.ts';
import { median } from '../src/core/stats/median.ts';
import { createUniform } from '../src/core/stats/pseudo-random.ts';
import { summarizeSteps } from '../src/core/stats/steps.ts';
import { countWarmUpSteps } from '../src/core/stats/warm-up.ts';

interface Recorded {
  readonly h200: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly h200LaunchMedianMs: Readonly<Record<string, readonly number[]>>;
  readonly cpu: readonly (readonly number[])[];
}

const recorded = JSON.parse(
  readFileSync(new URL('measured/gate-steps.json', import.meta.url), 'utf8'),
) as Recorded;

/** What a machine does to step times: how steps of one launch vary, how launches do, and how sessions do. */
export interface Machine {
  /** Steady steps over their launch's median, in order. */
  readonly launches: readonly (readonly number[])[];
  /** Logarithms, drawn one a launch. */
  readonly launchEffects: readonly number[];
  /** Standard deviation of a session's logarithm. */
  readonly sessionDeviation: number;
  readonly stepMs: number;
}

const steadyOf = (steps: readonly number[]): readonly number[] => steps.slice(countWarmUpSteps(steps));
const shapeOf = (steps: readonly number[]): number[] => {
  const steady = steadyOf(steps);
  const center = median(steady);
  return steady.map((ms) => ms / center);
};

/** Deviations of logarithms from their mean, stretched to the size that a sample's have (n / (n - 1)). */
function effectsOf(groups: readonly (readonly number[])[]): number[] {
  return groups.flatMap((group) => {
    const logs = group.map(Math.log);
    const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
    return logs.map((log) => (log - mean) * Math.sqrt(logs.length / (logs.length - 1)));
  });
}

const deviationOf = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

const h200Series = Object.values(recorded.h200).flat();
const h200Machines = Object.values(recorded.h200).map((launches) =>
  launches.map((steps) => median(steadyOf(steps))),
);

/** H200: launches as they differ on one machine, sessions as they differ from machine to machine. */
export const h200: Machine = {
  launches: h200Series.map(shapeOf),
  launchEffects: effectsOf(Object.values(recorded.h200LaunchMedianMs)),
  sessionDeviation: deviationOf(effectsOf(h200Machines)),
  stepMs: 1_200,
};

/** Two shared CPU cores: neighbours slow a launch down, some by ten times. */
export const cpu: Machine = {
  launches: recorded.cpu.map(shapeOf),
  launchEffects: effectsOf([recorded.cpu.map((steps) => median(steadyOf(steps)))]),
  sessionDeviation: 0,
  stepMs: 50,
};

/** The same without the launches that a neighbour slowed by more than a fifth: a machine of one's own. */
export const quietCpu: Machine = {
  ...cpu,
  launchEffects: effectsOf([quiet(recorded.cpu.map((steps) => median(steadyOf(steps))))]),
};

function quiet(medians: readonly number[]): number[] {
  const center = median(medians);
  return medians.filter((ms) => ms < 1.2 * center);
}

export const spreadOf = ({ launchEffects }: Machine): number => deviationOf(launchEffects);

const steps = 20;
/** Steps that follow one another stay together: longer than their correlation, shorter than the series. */
const block = 4;

/** One source of chance for a whole table: the same numbers on every machine. */
export function createLab(seed: number) {
  const uniform = createUniform(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const pick = <T>(values: readonly T[]): T => values[Math.floor(uniform() * values.length)]!;
  let clockMs = Date.UTC(2026, 0, 1);
  let count = 0;

  /** Moving blocks (Kuensch 1989) of a recorded launch, times its effects. */
  const launch = (machine: Machine, session: number, slower: number, name = 'case'): RunRecord => {
    const shape = pick(machine.launches);
    const level = machine.stepMs * slower * Math.exp(session + pick(machine.launchEffects));
    const stepMs: number[] = [3 * level];
    while (stepMs.length <= steps) {
      const start = Math.floor(uniform() * Math.max(1, shape.length - block + 1));
      stepMs.push(...shape.slice(start, start + block).map((share) => share * level));
    }
    clockMs += 60_000;
    count += 1;
    return recordOf(stepMs.slice(0, steps + 1), `run-${count}`, clockMs, name);
  };
  const nextSession = (machine: Machine): number => {
    clockMs += 86_400_000;
    return machine.sessionDeviation * normal();
  };
  return { launch, nextSession };
}

export type Lab = ReturnType<typeof createLab>;

function recordOf(stepMs: readonly number[], runId: string, startedMs: number, name: string): RunRecord {
  const statistics = summarizeSteps(stepMs)!;
  const utc = new Date(startedMs).toISOString();
  const record = {
    ...{ schemaVersion: 1, runId, caseId: name, experiment: 'simulated', title: name, workload: 'command' },
    ...{ case: null, worldSize: 1, stack: null, tool: null, functional: false, placement: undefined },
    system: { name: 'simulated', title: 'simulated', gpuName: null, accelerator: 'cuda', cores: 16 },
    ...{
      startedUtc: utc,
      endedUtc: utc,
      durationMs: 60_000,
      outcome: { class: 'ok' },
      exit: { exitCode: 0 },
    },
    ...{ statistics, stepMs, facts: {}, skippedIterations: 0, warnings: [] },
    conditions: { gpu: null, cpuAdamThreads: null, loadAverageBefore: null },
    throughput: { modelTflopsPerGpu: 1e5 / statistics.medianMs, loggedTflopsPerGpu: null },
    memory: { gpuAllocatedGiB: null, hostGiB: null },
  };
  return record as unknown as RunRecord;
}

/** One whole `gate --ab`, by the rules of the program. @param slower 1.05 makes every step 5% longer */
export function simulateAb(
  lab: Lab,
  machine: Machine,
  slower: number,
  limits: Pick<AbLimits, 'precision' | 'maxPairs'> & { readonly threshold: number },
): { readonly verdict: Verdict; readonly pairs: number } {
  const session = lab.nextSession(machine);
  const launches: AbLaunch[] = [];
  const all: AbLimits = {
    ...limits,
    minPairs: 4,
    budgetMs: Number.MAX_SAFE_INTEGER,
    metric: 'modelTflopsPerGpu',
  };
  for (;;) {
    const turns = turnsOf(launches);
    const stopped = whyStop(turns, 0, all);
    if (stopped !== null) {
      const summary = {
        base: 'A',
        head: 'B',
        metrics: [all.metric],
        startedUtc: '2026-01-01T00:00:00Z',
        stopped,
      };
      const { verdict } = abReport(turns, { ...summary, threshold: limits.threshold });
      return { verdict, pairs: turns.pairs.length };
    }
    for (const side of orderOf(turns.pairs.length)) {
      launches.push({ side, record: lab.launch(machine, session, side === 'head' ? slower : 1) });
    }
  }
}

export interface StoredSetting {
  readonly threshold: number;
  /** Launches of the reference's session, and of the one that is judged. */
  readonly launches: number;
  /** Earlier sessions of one launch each. */
  readonly history: number;
  readonly trusted: 'sessions' | 'launches';
  /** Cases of one gate. */
  readonly cases: number;
}

/** One whole `gate --baseline`, a session for the references and another one, days later, that is judged. */
export function simulateStored(lab: Lab, machine: Machine, slower: number, setting: StoredSetting): Verdict {
  const names = Array.from({ length: setting.cases }, (_, index) => `case ${index}`);
  const past = Array.from({ length: setting.history }, () => {
    const session = lab.nextSession(machine);
    return names.map((name) => lab.launch(machine, session, 1, name));
  }).flat();
  const session = (change: number): RunRecord[] => {
    const level = lab.nextSession(machine);
    return names.flatMap((name) =>
      Array.from({ length: setting.launches }, () => lab.launch(machine, level, change, name)),
    );
  };
  const metrics = ['modelTflopsPerGpu'] as const;
  const references = makeReferences(session(1), past, { metrics, threshold: setting.threshold });
  const named = session(slower);
  return runGate({
    baseline: { schemaVersion: 1, updatedUtc: null, references, expectedFailures: [] },
    ...{
      baselineName: 'simulated',
      holdsPast: true,
      startedUtc: '2026-01-01T00:00:00Z',
      named,
      stored: named,
    },
    options: {
      ...{ threshold: null, metrics, historyLimit: 100, trusted: setting.trusted },
      ...{ allowMissing: false, today: '2026-01-01' },
    },
  }).verdict;
}
