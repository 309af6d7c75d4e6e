/** What is called otherwise here, and what launchers, trainers and Megatron call it. */
export const foreignFlags: readonly (readonly [here: string, elsewhere: readonly string[]])[] = [
  ['--dtype fp16', ['--fp16', '--half']],
  ['--dtype bf16', ['--bf16']],
  ['--dtype fp32', ['--fp32']],
  ['--dtype', ['--precision', '--mixed-precision']],
  [
    '--chips',
    ['--gpus', '--ngpus', '--num-gpus', '--num_gpus', '--nproc-per-node', '--nproc_per_node', '--world-size'],
  ],
  ['--sequence-length', ['--seq', '--seqlen', '--seq-len', '--seq-length', '--max-seq-length']],
  ['--global-batch (of all chips) or --micro-batch (of one)', ['--batch', '--batch-size']],
  ['--global-batch', ['--global-batch-size', '--train-batch-size']],
  ['--micro-batch', ['--micro-batch-size', '--per-device-train-batch-size']],
  ['--mode zero_2 or --mode zero_3', ['--stage', '--zero-stage']],
  ['--steps', ['--iters', '--iterations', '--train-iters', '--max-steps']],
  ['--activation-checkpointing', ['--gradient-checkpointing', '--recompute', '--recompute-activations']],
  ['--ds gradient_clipping=1', ['--clip', '--clip-grad', '--gradient-clipping']],
  ['--hostfile', ['--hosts']],
];
const byName: ReadonlyMap<string, string> = new Map(
  foreignFlags.flatMap(([here, elsewhere]) => elsewhere.map((name) => [name, here] as const)),
);

/**
 * A line for a flag that a command does not know, beside what commander says of it.
 * @param message of commander
 * @param argv as it was given
 * @param verbs all commands
 * @param flags of the command that was given
 */
export function unknownFlagHint(
  message: string,
  argv: readonly string[],
  verbs: readonly string[],
  flags: readonly string[],
): string | null {
  const flag = /unknown option '(--?[\w-]+)/.exec(message)?.[1];
  if (flag === undefined) return null;
  const verbAt = argv.findIndex((word) => verbs.includes(word));
  const flagAt = argv.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  const verb = argv[verbAt];
  if (verb !== undefined && flagAt !== -1 && flagAt < verbAt) {
    return `flags stand behind their command: superoffload ${verb} ${flag}`;
  }
  const here = byName.get(flag);
  const [first = ''] = here?.split(' ') ?? [];
  return here === undefined || !flags.includes(first) ? null : `here that is ${here}`;
}
