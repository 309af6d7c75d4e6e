import { rows } from './topic-text.ts';

/** Variables of a user's. A test looks through the sources: one that is read there and not told of here fails it. */
export const userVariables: readonly (readonly [name: string, meaning: string])[] = [
  ['SUPEROFFLOAD_HOME', 'the state folder (default: .superoffload in the folder you work in)'],
  ['SUPEROFFLOAD_SSH', 'the ssh command for the hosts of a hostfile, with its options'],
  ['SUPEROFFLOAD_SLURM_POLL_SECONDS', 'how often Slurm is asked at most'],
  ['DS_ACCELERATOR', 'cpu: train without the GPUs that are there'],
  ['CUDA_VISIBLE_DEVICES', 'the GPUs that may be used'],
  ['CUDA_HOME', 'the CUDA toolkit that builds ops'],
  ['MAX_JOBS', 'compilers at the same time'],
  ['NO_COLOR', 'no colours'],
];

/** Variables that superoffload sets for what it starts. */
export const runVariables: readonly (readonly [name: string, meaning: string])[] = [
  ['SUPEROFFLOAD_RUN_ID', 'in every process of a run: the run'],
  ['SUPEROFFLOAD_STOP_FILE', 'to the trainer: ends after its current step once this file is there'],
  [
    'SUPEROFFLOAD_TRACE',
    'to the built-in trainer: the file for the timeline of one step (throughput --timeline)',
  ],
  ['SUPEROFFLOAD_TRACE_STEP', 'which step that is'],
  ['SUPEROFFLOAD_NODE_RANK', 'on several machines: which of them this is'],
];

export function text(): string {
  return [
    'Variables that superoffload reads:',
    rows(userVariables),
    'What it gives to the runs that it starts:',
    rows(runVariables),
    'Secrets among the variables are redacted wherever an environment is stored.',
  ].join('\n\n');
}
