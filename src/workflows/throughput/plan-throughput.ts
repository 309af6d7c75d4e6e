import { resolve } from 'node:path';
import { dataFolders, readExperiment, readModels } from '../../adapters/experiment-data.ts';
import { listRunIds } from '../../adapters/run-store.ts';
import { readRecord } from '../../adapters/stored-runs.ts';
import type { LauncherName } from '../../core/experiment/case.ts';
import { expandGrid, type SkippedCase } from '../../core/experiment/grid.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import { launchers } from '../../core/launch/launcher.ts';
import { defaultLauncher } from '../../core/plan/plan-case.ts';
import { planCommand } from '../../core/plan/plan-command.ts';
import type { RunLimits, RunPlan } from '../../core/plan/run-plan.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import { configureCases, readUserConfig } from './case-configs.ts';
import type { Context } from '../context.ts';
import { installedDeepspeed } from '../stacks/installed-deepspeed.ts';
import { hasPartOfGpu, requireChips, requireRanks, resolveMachine, type Machine } from '../machine.ts';
import { planNotes } from './plan-notes.ts';
import { megatronOf, planRun } from './plan-run.ts';
import { requireData } from '../runs/run-data.ts';
import { usableStack } from '../stacks/usable-stack.ts';

export interface ThroughputRequest {
  readonly flags: GridFlags;
  readonly system: string;
  readonly stack: string;
  readonly launcher: LauncherName | null;
  readonly bindCores: boolean;
  readonly maxError: number | null;
  readonly limits: Partial<RunLimits>;
  /** A DeepSpeed JSON of the user's in place of the generated one. */
  readonly configFile: string | null;
  /** With --workload command: what to run. */
  readonly command: readonly string[] | null;
  /** Nothing will be started: the machine need not be able to. */
  readonly dryRun: boolean;
  /** Run on a stack that is not what its install left behind; the record says so. */
  readonly allowDrift: boolean;
}

/** What a request comes to on this machine. */
export interface ThroughputPlan {
  readonly machine: Machine;
  readonly plans: readonly RunPlan[];
  readonly skipped: readonly SkippedCase[];
  readonly notes: readonly string[];
  /** Wall time of the newest earlier run of each case with the same stack, by case id, milliseconds. */
  readonly expectedMs: Readonly<Record<string, number>>;
}

/**
 * Turns flags into runs. Reads, decides, and starts nothing.
 * @throws SuperOffloadError 'usage' or 'config' with every fault; 'environment' where this machine cannot run it.
 */
export async function planThroughput(context: Context, request: ThroughputRequest): Promise<ThroughputPlan> {
  const machine = await resolveMachine(context, request.system);
  const chips = request.flags.chips ?? 1;
  if (!request.dryRun) requireChips(machine, chips, context.env);
  if (request.command !== null) {
    const plan = commandPlan(context, request, request.command, machine);
    return { machine, plans: [plan], skipped: [], notes: [], expectedMs: {} };
  }
  requireRanks(machine, chips);
  requireLauncher(context, request, machine, chips);
  const deepspeed = await installedDeepspeed(context, request.stack);
  const flags = absoluteFiles(request.flags, context.cwd);
  const userConfig = await readUserConfig(request.configFile, flags, deepspeed.superOffload);
  const folders = dataFolders(context);
  const models = readModels(folders);
  const shapes = Object.fromEntries(models.map(({ shape }) => [shape.name, shape]));
  const grid = expandGrid(readExperiment('throughput', folders), shapes, machine.system, userConfig.flags);
  const faults = [...userConfig.faults, ...grid.faults];
  if (faults.length > 0) throw faultsError('usage', faults);
  const { stack, notes, drift } = await usableStack(context, stackChoice(request), machine);
  const built = configureCases(grid.cases, userConfig, deepspeed);
  const megatron = megatronOf(context, request, stack);
  const place = { machine, stack, drift, megatron: megatron.directory };
  const plans: RunPlan[] = [];
  for (const configured of built.configs) {
    plans.push(await planRun(context, request, place, configured));
  }
  const more = [...notes, ...megatron.notes, ...built.notes];
  if (!request.dryRun) await requireData(grid.cases);
  return {
    machine,
    plans,
    skipped: grid.skipped,
    notes: [...planNotes(machine, chips, grid.cases, { folders, models }), ...more],
    expectedMs: await earlierDurations(context, plans),
  };
}

function stackChoice({ stack: name, dryRun, allowDrift }: ThroughputRequest) {
  return { name, dryRun, allowDrift };
}

/** Runs stand in folders of their own: a file is named from the folder that the user stands in. */
function absoluteFiles(flags: GridFlags, cwd: string): GridFlags {
  const { dataPath, vocabFile, mergeFile } = flags;
  return {
    ...flags,
    ...(dataPath === undefined ? {} : { dataPath: resolve(cwd, dataPath) }),
    ...(vocabFile === undefined ? {} : { vocabFile: resolve(cwd, vocabFile) }),
    ...(mergeFile === undefined ? {} : { mergeFile: resolve(cwd, mergeFile) }),
  };
}

function commandPlan(
  context: Context,
  request: ThroughputRequest,
  command: readonly string[],
  { system }: Machine,
): RunPlan {
  return planCommand({
    command,
    system,
    chips: request.flags.chips ?? 1,
    cwd: context.cwd,
    limits: request.limits,
  });
}

function requireLauncher(
  { env }: Context,
  { launcher }: ThroughputRequest,
  { system }: Machine,
  chips: number,
): void {
  const name = launcher ?? defaultLauncher(system, chips);
  const place = `--launcher ${name}`;
  if (chips > launchers[name].maxWorldSize) {
    const problem = `starts ${launchers[name].maxWorldSize} rank, and --chips is ${chips}`;
    const expected = 'torchrun or deepspeed for more than one chip';
    throw faultsError('usage', [{ place, problem, expected }]);
  }
  if (name === 'deepspeed' && system.accelerator === 'cuda' && hasPartOfGpu(env)) {
    const problem = 'takes whole GPUs, and CUDA_VISIBLE_DEVICES names a part of one (MIG-...)';
    throw faultsError('usage', [{ place, problem, expected: '--launcher torchrun' }]);
  }
}

async function earlierDurations(
  context: Context,
  plans: readonly RunPlan[],
): Promise<Record<string, number>> {
  const ids = await listRunIds(context.home);
  const durations = plans.flatMap(({ caseId, stack }) => {
    const newest = ids.findLast((id) => id.includes(`-${caseId}-`));
    const record = newest === undefined ? null : readRecord(context.home, newest);
    if (record === null || record instanceof SuperOffloadError) return [];
    const comparable = record.outcome.class === 'ok' && record.stack?.hash === stack?.hash;
    return comparable && record.durationMs !== null ? [[caseId, record.durationMs] as const] : [];
  });
  return Object.fromEntries(durations);
}
