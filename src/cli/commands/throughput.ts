import { Option, type Command } from '@commander-js/extra-typings';
import { dtypes, launcherNames, modeNames, workloadNames } from '../../core/experiment/case.ts';
import type { ThroughputRequest } from '../../workflows/plan-throughput.ts';
import { faultsError, SuperOffloadError, type Fault } from '../../errors.ts';
import {
  collect,
  collectNames,
  parseCount,
  parseDropout,
  parseDuration,
  parseNumber,
  parseShare,
} from '../values.ts';
import type { CommandModule } from './module.ts';

/** The flags that choose a case: `throughput` and `config` share them. */
export function declareCaseFlags(command: Command) {
  return command
    .option('--chips <n>', 'chips: GPUs, or CPU ranks where there is no GPU', parseCount, 1)
    .option(
      '--mode <mode>',
      `${modeNames.join(', ')}; may be repeated (default: those of the experiment)`,
      collectNames,
    )
    .option('--model <size>', 'model size, may be repeated (default: those that fit)', collectNames)
    .option('--micro-batch <b>', 'sequences a chip and forward pass', parseCount)
    .option('--global-batch <g>', 'sequences an optimizer step, all chips together', parseCount)
    .option('--sequence-length <l>', 'tokens a sequence', parseCount)
    .option('--activation-checkpointing', 'recompute activations in the backward pass')
    .addOption(new Option('--dtype <type>', 'number format (default: bf16)').choices(dtypes))
    .option('--ratio <r>', 'share of the optimizer on the CPU, 0 to 1 (prism)', parseShare)
    .option('--dropout <p>', 'dropout probability, below 1 (default: 0)', parseDropout)
    .option('--steps <n>', 'optimizer steps at most (default: 40)', parseCount)
    .option('--seed <n>', 'seed of weights and data', parseNumber)
    .option('--data-path <prefix>', 'Megatron data set, without .bin (default: generated)')
    .option('--ds <key=value>', 'set a key of the DeepSpeed JSON, may be repeated', collect)
    .option('--config <file>', 'a DeepSpeed JSON to use in place of the generated one')
    .option('--allow-unsafe', 'run combinations that are known to train wrongly')
    .option('--system <name>', 'machine profile: local, h200, cpu, or yours in experiment/systems', 'local')
    .option('--stack <name>', 'installed stack', 'pip')
    .addOption(new Option('--launcher <name>', 'how ranks are started').choices(launcherNames))
    .option('--bind-cores', 'bind each rank to its cores (deepspeed launcher with numactl)')
    .option('--json', 'print JSON');
}

type CaseOptions = ReturnType<ReturnType<typeof declareCaseFlags>['opts']>;

/** Flags as the workflow wants them: only what was given. */
export function requestOf(
  options: CaseOptions,
  rest: Partial<Pick<ThroughputRequest, 'maxError' | 'limits' | 'command' | 'dryRun'>> = {},
): ThroughputRequest {
  return {
    flags: {
      chips: options.chips,
      ...given('modes', options.mode),
      ...given('models', options.model),
      ...given('microBatch', options.microBatch),
      ...given('globalBatch', options.globalBatch),
      ...given('sequenceLength', options.sequenceLength),
      ...given('activationCheckpointing', options.activationCheckpointing),
      ...given('dtype', options.dtype),
      ...given('ratio', options.ratio),
      ...given('dropout', options.dropout),
      ...given('steps', options.steps),
      ...given('seed', options.seed),
      ...given('dataPath', options.dataPath),
      ...given('deepspeedOverrides', options.ds),
      ...given('allowUnsafe', options.allowUnsafe),
    },
    system: options.system,
    stack: options.stack,
    launcher: options.launcher ?? null,
    bindCores: options.bindCores ?? false,
    configFile: options.config ?? null,
    maxError: null,
    limits: {},
    command: null,
    dryRun: false,
    ...rest,
  };
}

export const declare: CommandModule['declare'] = (bare, io) => {
  const command = declareCaseFlags(bare)
    .option('--max-error <share>', 'stop once the 95% interval is this narrow', parseShare, 0.02)
    .option('--all-steps', 'run all steps, however stable')
    .option('--repeat <r>', 'launches of each case, in turns', parseCount, 1)
    .option('--timeout <duration>', 'end a run after this long, such as 10m', parseDuration)
    .option('--stall-timeout <duration>', 'call a run hung after this long without a step', parseDuration)
    .addOption(
      new Option('--workload <name>', 'what trains').choices(workloadNames).default('builtin' as const),
    )
    .option('--dry-run', 'print what would run, start nothing')
    .argument('[command...]', 'with --workload command: what to run, after --');
  command.action(async (words, options) => {
    const request = requestOf(options, {
      maxError: options.allSteps === true ? null : options.maxError,
      limits: {
        ...given('timeoutMs', options.timeout),
        ...given('minStallMs', options.stallTimeout),
        ...(options.stallTimeout === undefined ? {} : { firstStepMs: options.stallTimeout, stallFactor: 0 }),
      },
      command: commandWords(options, words),
      dryRun: options.dryRun ?? false,
    });
    const { showThroughput } = await import('../throughput-screen.ts');
    await showThroughput(io, request, { repeat: options.repeat, json: options.json ?? false });
  });
};

/** Flags that say what the built-in trainer trains: nothing of ours can pass them on to a command. */
const trainerFlags = {
  mode: '--mode',
  model: '--model',
  microBatch: '--micro-batch',
  globalBatch: '--global-batch',
  sequenceLength: '--sequence-length',
  activationCheckpointing: '--activation-checkpointing',
  dtype: '--dtype',
  ratio: '--ratio',
  dropout: '--dropout',
  steps: '--steps',
  seed: '--seed',
  dataPath: '--data-path',
  ds: '--ds',
  config: '--config',
  launcher: '--launcher',
  bindCores: '--bind-cores',
} as const satisfies Partial<Record<keyof CaseOptions, string>>;

function trainerFlagFaults(options: CaseOptions): Fault[] {
  return Object.entries(trainerFlags)
    .filter(([name]) => options[name as keyof typeof trainerFlags] !== undefined)
    .map(([, place]) => ({
      place,
      problem: 'says nothing to a command of your own',
      expected: 'give it to the command',
    }));
}

function commandWords(
  options: CaseOptions & { readonly workload: 'builtin' | 'command' },
  words: readonly string[],
): readonly string[] | null {
  const { workload } = options;
  const faults = workload === 'command' ? trainerFlagFaults(options) : [];
  if (faults.length > 0) throw faultsError('usage', faults);
  if (workload === 'builtin' && words.length > 0) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `unexpected words: ${words.join(' ')}`,
      hint: 'to measure a command of your own: superoffload throughput --workload command -- COMMAND...',
    });
  }
  if (workload === 'command' && words.length === 0) {
    throw new SuperOffloadError({
      code: 'usage',
      message: '--workload command needs a command',
      hint: 'for example: superoffload throughput --workload command -- python train.py',
    });
  }
  return workload === 'command' ? words : null;
}

function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
