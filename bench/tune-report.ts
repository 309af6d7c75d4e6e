import type { ModeName, System } from '../src/core/experiment/case.ts';
import { median, sortedQuantile } from '../src/core/stats/median.ts';
import { isRoom, roomOf } from '../src/core/tune/needs.ts';
import { modesToTune } from '../src/core/tune/modes-to-tune.ts';
import { startTuning } from '../src/core/tune/search/search-state.ts';
import type { TuneRequest } from '../src/core/tune/request.ts';
import { sampleCase } from '../test/core/sample-case.ts';
import { namedSystem, shapes } from './predict-measured.ts';
import { simulateMachine, tuneOn, tuneRequest, usualDisturbance, type Disturbance } from './tune-machine.ts';
import { replayReport } from './tune-replay-report.ts';

/** What many searches on simulated machines came to. */
export interface Summary {
  readonly machines: number;
  /** Within 5% of the fastest configuration that leaves the margin. */
  readonly within: number;
  readonly worst: number;
  readonly trials: { readonly median: number; readonly most: number };
  readonly minutes: { readonly median: number; readonly ninth: number };
  readonly outOfMemory: number;
  /** Choices that take more memory than the margin allows, where others do not. */
  readonly unfit: number;
  readonly withoutChoice: number;
}

/** Tunes on `machines` machines, each disturbed by its own seed. */
export function summarize(
  request: TuneRequest,
  system: System,
  machines: number,
  disturbance: Disturbance = usualDisturbance,
): Summary {
  const start = startTuning(request, system).tuning;
  const runs = Array.from({ length: machines }, (_, index) => {
    const machine = simulateMachine(request, system, index + 1, disturbance);
    const { tuning, end } = tuneOn(machine.launch, request, system, start);
    const { memoryMargin } = tuning.budget;
    const good = tuning.candidates.filter((one) =>
      isRoom(roomOf(machine.trueNeeds(one), tuning.capacity, memoryMargin)),
    );
    const fastest = Math.min(...good.map(machine.trueMs));
    const best = end.best === null ? undefined : tuning.candidates[end.best];
    return {
      // Where nothing leaves the margin, there is nothing to find.
      loss:
        good.length === 0
          ? 1
          : best === undefined
            ? Number.POSITIVE_INFINITY
            : machine.trueMs(best) / fastest,
      isChosen: best !== undefined || good.length === 0,
      trials: tuning.trials.length,
      minutes: tuning.minutes,
      outOfMemory: tuning.trials.filter(({ result }) => result.kind === 'memory').length,
      unfit: good.length > 0 && best !== undefined && !good.includes(best) ? 1 : 0,
    };
  });
  const sorted = Float64Array.from(runs, ({ minutes }) => minutes).sort();
  return {
    machines,
    within: runs.filter(({ loss }) => loss <= 1.05).length / machines,
    worst: Math.max(...runs.map(({ loss }) => loss)),
    trials: {
      median: median(runs.map(({ trials }) => trials)),
      most: Math.max(...runs.map(({ trials }) => trials)),
    },
    minutes: { median: sortedQuantile(sorted, 0.5), ninth: sortedQuantile(sorted, 0.9) },
    outOfMemory: runs.reduce((sum, run) => sum + run.outOfMemory, 0),
    unfit: runs.reduce((sum, run) => sum + run.unfit, 0),
    withoutChoice: runs.filter(({ isChosen }) => !isChosen).length,
  };
}

const sizes = ['2B', '3B', '5B', '7B', '15B'];
const superchipAndPcie = ['h200', 'gh200'];
const systems = [...superchipAndPcie, 'h100', 'a100-80g'];

/** 15B with eight sequences does not fit one H200 in any mode. */
export function requestOf(size: string, modes: readonly ModeName[] | null = null): TuneRequest {
  const model = shapes().find(({ name }) => name === size);
  if (model === undefined) throw new Error(`there is no ${size}`);
  const globalBatch = size === '15B' ? 1 : 8;
  return tuneRequest(sampleCase({ model, steps: 40, microBatch: globalBatch, globalBatch }), { modes });
}

export function tuneReport(machines: number): string {
  return `${head(machines)}
${table(systems, machines, null, usualDisturbance)}
The same without the modes that keep all on the GPU (\`--mode prism,zero_offload,zero_infinity\`):

${table(superchipAndPcie, machines, offloading(), usualDisturbance)}
Where predictions are as good as most have been on the H200 (modes 0.9 to 1.3 of them, memory within 3%):

${table(superchipAndPcie, machines, null, { ...usualDisturbance, mode: [0.9, 1.3], memory: 0.03 })}
Where the ratio is predicted badly (50% from 0 to 1, either way), without the modes that keep all on the GPU:

${table(superchipAndPcie, machines, offloading(), { ...usualDisturbance, ratio: 0.5 })}
${replayReport()}`;
}

function offloading(): readonly ModeName[] {
  const result = modesToTune(['prism', 'zero_offload', 'zero_infinity']);
  return result.ok ? result.modes : [];
}

function head(machines: number): string {
  const { way, settings, ratio, own, launch } = usualDisturbance;
  const share = (value: number): string => `${(100 * value).toFixed(1)}%`;
  return `# How well \`tune\` finds the best, and at what price

Made by \`npx tsx bench/tune.ts | npx prettier --parser markdown > bench/tune.md\`: simulations and a replay. No GPU took part;
what \`tune\` reaches on one is not measured here.

## Simulated machines

A machine is this tool's own prediction, disturbed by what the search is not told: every mode by a factor of its own from
0.7 to 1.6, memory of every mode by up to 8% either way, recomputation (${share(way)}), settings (${share(settings)}), the ratio
(${share(ratio)} from 0 to 1), each configuration (${share(own)}) and each launch (${share(launch)}) by normal deviations. Each
halving of the micro-batch costs something, and never gains. Rates that a system does not state (h100 and a100-80g: the
host's) are up to twice or half of what the search assumes. ${machines} machines a row; sequence 1024, global batch 8 (15B: 1),
one chip, launches of 40 steps, all of them made; at most 8 trials and 8 minutes, 5% of both memories left free.

"Within 5%": the step time of the choice against the fastest of all candidates that leave the margin on that machine. "Out of memory": launches that ended so, for
the memory's surprise; nothing is launched that is predicted not to fit with the margin (test/core/tune/propose/propose.test.ts).
"Beyond the margin": choices that take more than it allows, though others do not.
`;
}

function table(
  names: readonly string[],
  machines: number,
  modes: readonly ModeName[] | null,
  disturbance: Disturbance,
): string {
  const rows = names.flatMap((system) =>
    sizes.map((size) =>
      rowOf(system, size, summarize(requestOf(size, modes), namedSystem(system), machines, disturbance)),
    ),
  );
  return `| system | size | within 5% | worst | trials, median and most | minutes, median and 9 in 10 | out of memory | beyond the margin | no choice |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function rowOf(system: string, size: string, found: Summary): string {
  const { within, worst, trials, minutes, outOfMemory, unfit, withoutChoice, machines } = found;
  const cells = [
    system,
    size,
    `${(100 * within).toFixed(0)}%`,
    Number.isFinite(worst) ? `${(100 * (worst - 1)).toFixed(0)}%` : '-',
    `${trials.median}, ${trials.most}`,
    `${minutes.median.toFixed(1)}, ${minutes.ninth.toFixed(1)}`,
    `${(outOfMemory / machines).toFixed(2)} a search`,
    unfit,
    withoutChoice,
  ];
  return `| ${cells.join(' | ')} |`;
}
