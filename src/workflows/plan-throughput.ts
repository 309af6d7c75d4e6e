import { join } from 'node:path';
import { dataFolders, readExperiment, readModels } from '../adapters/experiment-data.ts';
import { readJson } from '../adapters/files.ts';
import { freePort } from '../adapters/free-port.ts';
import { listRunIds } from '../adapters/run-store.ts';
import { readRecord } from '../adapters/stored-runs.ts';
import { loadStack } from '../adapters/stack/store.ts';
import { validateDeepSpeedConfig } from '../adapters/validate.ts';
import { buildConfig } from '../core/deepspeed/build-config.ts';
import { completeConfig, mergeConfigFlags } from '../core/deepspeed/read-config.ts';
import type { Case, LauncherName } from '../core/experiment/case.ts';
import { expandGrid, type GridFlags, type SkippedCase } from '../core/experiment/grid.ts';
import { launchers } from '../core/launch/launcher.ts';
import { estimateMemory, fits } from '../core/model/memory.ts';
import { planCase } from '../core/plan/plan-case.ts';
import { planCommand } from '../core/plan/plan-command.ts';
import { environmentChange, type RunLimits, type RunPlan } from '../core/plan/run-plan.ts';
import { stackEnvironment } from '../core/stack/environment.ts';
import type { StackLock } from '../core/stack/lock.ts';
import { faultsError, SuperOffloadError, type Fault } from '../errors.ts';
import type { Context } from './context.ts';
import { requireChips, resolveMachine, type Machine } from './machine.ts';

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
    const plan = planCommand({
      command: request.command,
      system: machine.system,
      chips,
      cwd: context.cwd,
      maxError: request.maxError,
      limits: request.limits,
    });
    return { machine, plans: [plan], skipped: [], notes: [], expectedMs: {} };
  }
  requireLauncher(request, chips);
  const userConfig = await readUserConfig(request);
  const folders = dataFolders(context);
  const models = Object.fromEntries(readModels(folders).map(({ shape }) => [shape.name, shape]));
  const grid = expandGrid(readExperiment('throughput', folders), models, machine.system, userConfig.flags);
  const faults = [...userConfig.faults, ...grid.faults];
  if (faults.length > 0) throw faultsError('usage', faults);
  const stack = await usableStack(context, request);
  const built = configsOf(grid.cases, stack, request, userConfig.config);
  const plans: RunPlan[] = [];
  for (const { subject, config } of built.configs) {
    plans.push(await planOne(context, request, machine, stack, subject, config));
  }
  return {
    machine,
    plans,
    skipped: grid.skipped,
    notes: [...machineNotes(machine, chips), ...built.notes, ...memoryNotes(machine, grid.cases)],
    expectedMs: await earlierDurations(context, plans),
  };
}

function requireLauncher({ launcher }: ThroughputRequest, chips: number): void {
  if (launcher === null || chips <= launchers[launcher].maxWorldSize) return;
  const problem = `starts ${launchers[launcher].maxWorldSize} rank, and --chips is ${chips}`;
  const expected = 'torchrun or deepspeed for more than one chip';
  throw faultsError('usage', [{ place: `--launcher ${launcher}`, problem, expected }]);
}

interface UserConfig {
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly flags: GridFlags;
  readonly faults: readonly Fault[];
}

async function readUserConfig({ configFile, flags }: ThroughputRequest): Promise<UserConfig> {
  if (configFile === null) return { config: null, flags, faults: [] };
  const value = await readJson(configFile);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const problem = value === undefined ? 'there is no such file' : 'is not a JSON object';
    throw faultsError('usage', [{ place: `--config ${configFile}`, problem, expected: 'a DeepSpeed JSON' }]);
  }
  const config = value as Record<string, unknown>;
  return { config, ...mergeConfigFlags(config, flags, configFile) };
}

async function usableStack(context: Context, request: ThroughputRequest): Promise<StackLock | null> {
  const stack = await loadStack(context.home, request.stack);
  if (stack !== undefined) return stack;
  if (request.dryRun) return null;
  throw new SuperOffloadError({
    code: 'environment',
    message: `stack ${JSON.stringify(request.stack)} is not installed in ${context.home}`,
    hint: `run: superoffload install --stack ${request.stack}`,
  });
}

/** The DeepSpeed that a plan without a stack is checked against: the newest that is known. */
const assumedVersion = '0.19.8';

function configsOf(
  cases: readonly Case[],
  stack: StackLock | null,
  request: ThroughputRequest,
  userConfig: UserConfig['config'],
) {
  const deepspeedVersion = stack?.deepspeed.version ?? assumedVersion;
  const notes = new Set<string>();
  const faults: Fault[] = [];
  const configs = cases.map((subject) => {
    const generated = buildConfig(subject, { deepspeedVersion });
    const config = userConfig === null ? generated : completeConfig(userConfig, generated);
    const place = request.configFile ?? 'DeepSpeed config';
    const checked = validateDeepSpeedConfig(config, deepspeedVersion, place);
    faults.push(...checked.faults);
    if (checked.note !== null) notes.add(checked.note);
    return { subject, config };
  });
  if (faults.length > 0) throw faultsError('config', unique(faults), 'nothing was started');
  return { configs, notes: [...notes] };
}

async function planOne(
  context: Context,
  request: ThroughputRequest,
  { system }: Machine,
  stack: StackLock | null,
  subject: Case,
  deepspeedConfig: Readonly<Record<string, unknown>>,
): Promise<RunPlan> {
  return planCase(subject, {
    system,
    stack: {
      name: request.stack,
      hash: stack?.hash ?? 'not installed',
      torch: stack?.torch.version ?? 'unknown',
      deepspeed: stack?.deepspeed.version ?? assumedVersion,
    },
    python: stack?.python.path ?? join(context.home, 'stacks', request.stack, 'venv', 'bin', 'python'),
    stackEnvironment:
      stack === null
        ? { env: {}, unset: [] }
        : environmentChange(context.env, stackEnvironment(stack, context.env)),
    trainer: join(context.packageRoot, 'experiment', 'trainer'),
    deepspeedConfig,
    port: await freePort(),
    launcher: request.launcher,
    bindCores: request.bindCores,
    maxError: request.maxError,
    limits: request.limits,
  });
}

function machineNotes({ system, facts }: Machine, chips: number): string[] {
  if (system.accelerator !== 'cpu') return [];
  return [
    'no GPU: these runs are functional, on CPU ranks; their speed says nothing about a GPU or a superchip',
    ...(chips > facts.cpu.cores ? [`${chips} ranks share ${facts.cpu.cores} cores`] : []),
  ];
}

/** A size asked for by name is run even where it should not fit: the formulas are of first order. */
function memoryNotes({ system }: Machine, cases: readonly Case[]): string[] {
  return cases.flatMap((subject) => {
    const { lacks } = fits(estimateMemory(subject, system), system);
    return lacks === null ? [] : [`${subject.mode} ${subject.model.name} may not fit: ${lacks}`];
  });
}

function unique(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [`${fault.place} ${fault.problem}`, fault])).values()];
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
