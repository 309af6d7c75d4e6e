import { Option, type Command } from '@commander-js/extra-typings';
import {
  attentionNames,
  caseWorkloadNames,
  dtypes,
  launcherNames,
  modeNames,
  type WorkloadName,
} from '../../core/experiment/case.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import type { ThroughputRequest } from '../../workflows/throughput/plan-throughput.ts';
import type { Fault } from '../../errors.ts';
import { given } from './given.ts';
import { declareScheduleFlags, schedulingOf } from './schedule.ts';
import {
  collect,
  collectNames,
  parseCount,
  parseDropout,
  parseNumber,
  parseShare,
  parseTokens,
} from './values.ts';

/** The flags that choose a case: `throughput` and `config` share them. */
export function declareCaseFlags(command: Command) {
  const declared = command
    .option('--chips <n>', 'chips: GPUs, or CPU ranks where there is no GPU', parseCount, 1)
    .option(
      '--mode <mode>',
      `${modeNames.join(', ')}; may be repeated (default: those of the experiment)`,
      collectNames,
    )
    .option('--model <size>', 'model size, may be repeated (default: those that fit)', collectNames)
    .option('--micro-batch <b>', 'sequences a chip and forward pass', parseCount)
    .option('--global-batch <g>', 'sequences an optimizer step, all chips together', parseCount)
    .option('--sequence-length <l>', 'tokens a sequence, such as 2048 or 64K', parseTokens)
    .option('--activation-checkpointing', 'recompute activations in the backward pass')
    .option('--no-activation-checkpointing', 'keep all activations, where the experiment would recompute')
    .option('--activation-offload', 'keep what it recomputes from in host memory')
    .addOption(new Option('--attention <kernel>', 'attention kernel (default: sdpa)').choices(attentionNames))
    .option('--sequence-parallel <n>', 'chips that share each sequence', parseCount)
    .addOption(new Option('--dtype <type>', 'number format (default: bf16)').choices(dtypes))
    .option('--fp16-lm-cross-entropy', 'compute the loss from 16-bit logits (megatron: fp16 alone)')
    .option('--loss-chunk <tokens>', 'logits in memory at one time (builtin; default: by size)', parseCount)
    .option('--ratio <r>', 'share of the optimizer on the CPU, 0 to 1 (prism, prism_overlap)', parseShare)
    .option('--dropout <p>', 'dropout probability, below 1 (default: 0)', parseDropout)
    .option('--steps <n>', 'optimizer steps at most (default: 40)', parseCount)
    .option('--seed <n>', 'seed of weights and data', parseNumber)
    .option('--data-path <prefix>', 'Megatron data set, without .bin (default: generated)')
    .option('--vocab-file <file>', 'GPT-2 vocabulary, with --merge-file (megatron; default: token ids alone)')
    .option('--merge-file <file>', 'GPT-2 merges, with --vocab-file (megatron)')
    .option('--ds <key=value>', 'set a key of the DeepSpeed JSON, may be repeated', collect)
    .option('--config <file>', 'a DeepSpeed JSON to use in place of the generated one')
    .option('--allow-unsafe', 'run combinations that are known to train wrongly')
    .option('--system <name>', 'machine profile, one of: superoffload systems list', 'local')
    .option('--stack <name>', 'installed stack', 'pip')
    .option('--allow-drift', 'use a stack that has changed since its install, and record that')
    .addOption(new Option('--launcher <name>', 'how ranks are started').choices(launcherNames))
    .option('--bind-cores', 'bind each rank to its cores (deepspeed launcher with numactl)')
    .option('--json', 'print JSON');
  return declareScheduleFlags(declared);
}

export type CaseOptions = ReturnType<ReturnType<typeof declareCaseFlags>['opts']>;

/** `config` shows cases, and a command of the user's has none. */
export const caseWorkloadOption = new Option('--workload <name>', 'what trains').choices(caseWorkloadNames);

type GivenOptions = CaseOptions & { readonly workload?: WorkloadName | undefined };

/** Flags as the workflow wants them: only what was given. */
export function requestOf(
  options: GivenOptions,
  rest: Partial<Pick<ThroughputRequest, 'maxError' | 'limits' | 'command' | 'dryRun' | 'timeline'>> = {},
): ThroughputRequest {
  return {
    flags: gridFlags(options),
    system: options.system,
    stack: options.stack,
    launcher: options.launcher ?? null,
    bindCores: options.bindCores ?? false,
    configFile: options.config ?? null,
    scheduling: schedulingOf(options),
    maxError: null,
    limits: {},
    command: null,
    dryRun: false,
    allowDrift: options.allowDrift ?? false,
    ...rest,
  };
}

function gridFlags(options: GivenOptions): GridFlags {
  const { workload } = options;
  return {
    ...(workload === undefined || workload === 'command' ? {} : { workload }),
    chips: options.chips,
    ...given('sequenceParallel', options.sequenceParallel),
    ...given('activationOffload', options.activationOffload),
    ...given('attention', options.attention),
    ...given('fp16LmCrossEntropy', options.fp16LmCrossEntropy),
    ...given('lossChunk', options.lossChunk),
    ...given('vocabFile', options.vocabFile),
    ...given('mergeFile', options.mergeFile),
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
  };
}

/** Flags that say what the built-in trainer trains: nothing of ours can pass them on to a command. */
const trainerFlags = {
  mode: '--mode',
  model: '--model',
  microBatch: '--micro-batch',
  globalBatch: '--global-batch',
  sequenceLength: '--sequence-length',
  activationCheckpointing: '--activation-checkpointing',
  activationOffload: '--activation-offload',
  attention: '--attention',
  sequenceParallel: '--sequence-parallel',
  fp16LmCrossEntropy: '--fp16-lm-cross-entropy',
  lossChunk: '--loss-chunk',
  vocabFile: '--vocab-file',
  mergeFile: '--merge-file',
  allowDrift: '--allow-drift',
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

/** Each of them that was given beside a command of the user's. */
export function trainerFlagFaults(options: CaseOptions): Fault[] {
  return Object.entries(trainerFlags)
    .filter(([name]) => options[name as keyof typeof trainerFlags] !== undefined)
    .map(([, place]) => ({
      place,
      problem: 'says nothing to a command of your own',
      expected: 'give it to the command',
    }));
}
