import { resolve } from 'node:path';
import {
  dataFolders,
  readModels,
  type DataFolders,
  type KnownModel,
} from '../../adapters/experiment-data.ts';
import type { BuildOptions } from '../../core/deepspeed/build-config.ts';
import type { LauncherName } from '../../core/experiment/case.ts';
import type { ModelTable } from '../../core/experiment/grid.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import type { SchedulingFlags } from '../../core/launch/scheduling-flags.ts';
import type { RunLimits } from '../../core/plan/run-plan.ts';
import type { TimelineRequest } from '../../core/plan/traced-step.ts';
import type { Context } from '../context.ts';
import { resolveMachine, type Machine } from '../machine.ts';
import { installedDeepspeed } from '../stacks/installed-deepspeed.ts';
import { readUserConfig, type UserConfig } from './case-configs.ts';

/** What a user asks of every verb that runs cases. */
export interface PlanRequest {
  readonly flags: GridFlags;
  readonly system: string;
  readonly stack: string;
  readonly launcher: LauncherName | null;
  readonly bindCores: boolean;
  readonly scheduling: SchedulingFlags;
  readonly maxError: number | null;
  readonly limits: Partial<RunLimits>;
  /** `--timeline`: a step whose timeline is written; absent: none. */
  readonly timeline?: TimelineRequest;
  /** A DeepSpeed JSON of the user's in place of the generated one. */
  readonly configFile: string | null;
  /** Nothing will be started: the machine need not be able to. */
  readonly dryRun: boolean;
  /** Run on a stack that is not what its install left behind; the record says so. */
  readonly allowDrift: boolean;
}

/** What a request means before any case is chosen: enough to expand an experiment. */
export interface Setting {
  readonly machine: Machine;
  readonly folders: DataFolders;
  readonly known: readonly KnownModel[];
  /** Every size by its name. */
  readonly models: ModelTable;
  readonly deepspeed: BuildOptions;
  /** The user's DeepSpeed JSON; its `flags` are the request's joined with what the JSON says, its `faults` belong
   * beside those of the grid. */
  readonly user: UserConfig;
}

/**
 * Reads what a request names: system, sizes, the user's JSON. Needs no stack, and changes nothing.
 * @throws SuperOffloadError 'usage' or 'config' with every fault of a file.
 */
export async function readSetting(context: Context, request: PlanRequest): Promise<Setting> {
  const machine = await resolveMachine(context, request.system);
  const deepspeed = await installedDeepspeed(context, request.stack);
  const { exclusiveHost } = request.scheduling;
  const named = absoluteFiles(request.flags, context.cwd);
  const flags = exclusiveHost === undefined ? named : { ...named, exclusiveHost };
  const user = await readUserConfig(request.configFile, flags, deepspeed);
  const folders = dataFolders(context);
  const known = readModels(folders);
  const models = Object.fromEntries(known.map(({ shape }) => [shape.name, shape]));
  return { machine, folders, known, models, deepspeed, user };
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
