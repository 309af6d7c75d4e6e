import type { Fault } from '../../errors.ts';
import type { Case } from '../experiment/case.ts';
import { sharedSettings } from '../experiment/settings.ts';
import type { JsonObject } from './modes/mode.ts';
import { modes } from './modes/registry.ts';
import { ownSectionFaults } from './own-section.ts';
import { objectAt, runsSuperOffload, type SuperOffloadSwitch } from './super-offload.ts';

export interface AgreementOptions {
  readonly superOffload: SuperOffloadSwitch;
  /** Left out: the newest that is known. */
  readonly deepspeedVersion?: string;
  /** What the JSON is called in a message: its file, or where the settings came from. */
  readonly place: string;
  /** Lets combinations run that are known to give wrong numbers. */
  readonly allowUnsafe: boolean;
}

/**
 * The last look at a DeepSpeed JSON, wherever its keys came from (generated, `--config`, `--ds`): everything in which
 * it contradicts the arguments of the training script, or runs something else than the case is called.
 */
export function agreementFaults(config: JsonObject, subject: Case, options: AgreementOptions): Fault[] {
  return [
    ...settingFaults(config, subject, options.place),
    ...ownedSections(config, subject, options.place),
    ...ownSectionFaults(config, options.place, options.deepspeedVersion),
    ...superOffloadFaults(config, subject, options),
  ];
}

function settingFaults(config: JsonObject, subject: Case, place: string): Fault[] {
  const settings = sharedSettings(subject);
  const bf16 = 'bf16' in config ? 'bf16' : 'bfloat16';
  const rows: readonly (readonly [string, unknown, unknown, string])[] = [
    ['train_batch_size', config['train_batch_size'], settings.globalBatch, '--global-batch'],
    [
      'train_micro_batch_size_per_gpu',
      config['train_micro_batch_size_per_gpu'],
      settings.microBatch,
      '--micro-batch',
    ],
    [
      'gradient_accumulation_steps',
      config['gradient_accumulation_steps'],
      settings.gradientAccumulation,
      '--global-batch and --micro-batch',
    ],
    ['gradient_clipping', config['gradient_clipping'], settings.gradientClipping, '--ds gradient_clipping'],
    [`${bf16}/enabled`, objectAt(config, bf16)['enabled'] ?? false, settings.dtype === 'bf16', '--dtype'],
    ['fp16/enabled', objectAt(config, 'fp16')['enabled'] ?? false, settings.dtype === 'fp16', '--dtype'],
    [
      'zero_optimization/stage',
      objectAt(config, 'zero_optimization')['stage'] ?? 0,
      settings.zeroStage,
      '--mode',
    ],
  ];
  return rows
    .filter(([, found, wanted]) => found !== wanted)
    .map(([path, found, wanted, flag]) => ({
      place: `${place} /${path}`,
      problem: `is ${found === undefined ? 'missing' : JSON.stringify(found)}, and the training script is told ${String(wanted)}`,
      expected: `the same in both: ${flag} sets both`,
    }));
}

/**
 * Sections that a workload sets itself, or that change what it trains behind the back of its arguments.
 * Megatron: megatron/training.py, pretrain (curriculum_learning, compression_training, data_efficiency);
 * megatron/initialize.py overwrites activation_checkpointing.
 */
const owned = {
  builtin: ['optimizer', 'scheduler'],
  megatron: [
    'optimizer',
    'scheduler',
    'curriculum_learning',
    'compression_training',
    'data_efficiency',
    'activation_checkpointing',
  ],
} as const;

/**
 * Keys that change batch, shares of the ranks or number format under any training script, and the value of each that
 * changes nothing: elasticity puts its own batch in place of the JSON's (0.18, runtime/config.py); `sum` makes
 * gradients as many times too large as there are ranks; without managed accumulation every micro-batch is a step
 * (0.19, runtime/engine.py).
 */
const decisive: Readonly<Record<string, unknown>> = {
  elasticity: undefined,
  amp: undefined,
  torch_autocast: undefined,
  expert_parallel: undefined,
  tensor_parallel: undefined,
  sequence_parallel_size: 1,
  gradient_allreduce_op: 'mean',
  managed_gradient_accumulation: true,
};

const workloadTitles = { builtin: 'the built-in trainer', megatron: 'Megatron' } as const;

/** @returns a fault for each section of the JSON that the case's workload decides, or has its own settings for. */
export function ownedSections(
  config: JsonObject,
  { workload }: Pick<Case, 'workload'>,
  place: string,
): Fault[] {
  const expected = 'no such section, or --workload command with a training script of your own';
  const title = workloadTitles[workload];
  const own = owned[workload].filter((key) => key in config);
  const behind = Object.entries(decisive)
    .filter(([key, harmless]) => key in config && config[key] !== harmless)
    .filter(([key]) => objectAt(config, key)['enabled'] !== false)
    .map(([key]) => key);
  return [
    ...own.map((key) => ({ place: `${place} /${key}`, problem: `${title} has its own ${key}`, expected })),
    ...behind.map((key) => {
      const problem = `changes batch, ranks or number format, which the arguments of ${title} decide`;
      return { place: `${place} /${key}`, problem, expected };
    }),
  ];
}

function superOffloadFaults(
  config: JsonObject,
  { mode, dtype }: Case,
  { superOffload, place, allowUnsafe }: AgreementOptions,
): Fault[] {
  const runs = runsSuperOffload(config, superOffload);
  const faults: Fault[] = [];
  if (modes[mode].superOffload && !runs) {
    faults.push({
      place: `${place} /zero_optimization/offload_optimizer`,
      problem: 'runs nothing of SuperOffload with the installed DeepSpeed, and says nothing about it',
      expected:
        superOffload === 'absent' ? 'DeepSpeed 0.18 or newer' : '"device": "cpu" and "super_offload": true',
    });
  }
  if (runs && dtype === 'fp16' && config['gradient_clipping'] === 0 && !allowUnsafe) {
    faults.push(clippingFault(mode));
  }
  return faults;
}

/** fp16 overflows are rolled back, and without clipping the rollback ruins what it should restore. */
export function clippingFault(mode: Case['mode']): Fault {
  return {
    place: '--dtype fp16',
    problem:
      `${mode} without gradient clipping rolls an overflowed fp16 step back to weights of 0 and NaN moments ` +
      '(DeepSpeed up to 0.19.8), so the run would train wrongly without saying so',
    expected: '--dtype bf16, or --ds gradient_clipping=1.0, or --allow-unsafe to measure speed only',
  };
}
