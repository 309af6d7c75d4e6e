import { modeNames, type Case } from '../../core/experiment/case.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import { microBatchesOf } from '../../core/search/batch-variants.ts';

/** Flags that a case may be asked for with in place of its own. */
export interface ChangedFlags {
  readonly flags: Partial<GridFlags>;
  readonly exclusiveHost?: boolean;
}

/** A way that is predicted to fit, as words of a command line. */
interface Way extends ChangedFlags {
  readonly words: string;
}

const mostChips = 64;

/**
 * What would make a case fit, as the flags that say so; of each kind the change that is the smallest.
 * @param fits predicts the case with other flags, by all that the prediction itself goes by; false where they are refused
 * @returns nothing that is not predicted to fit; empty where none of it is
 */
export function remediesOf(subject: Case, fits: (change: ChangedFlags) => boolean): string[] {
  const first = (ways: readonly Way[]): Way[] => ways.filter(fits).slice(0, 1);
  const smaller = microBatchesOf(subject)
    .filter((size) => size < subject.microBatch)
    .reverse();
  const batch = smaller.map((size) => batchWay(subject, size));
  const recomputed = recomputing(subject);
  const onGpu = [...first(batch), ...first(recomputed === null ? [] : [recomputed])];
  const both =
    recomputed === null || onGpu.length > 0 ? [] : first(batch.map((way) => joined(way, recomputed)));
  const others = modeNames.filter((mode) => mode !== subject.mode).map(modeWay);
  const found = [
    ...onGpu,
    ...both,
    ...others.filter(fits),
    ...first([{ words: '--exclusive-host', flags: {}, exclusiveHost: true }]),
    ...first(moreChips(subject)),
  ];
  return found.map(({ words }) => words);
}

function batchWay(subject: Case, microBatch: number): Way {
  const { globalBatch } = subject;
  return {
    words: `--micro-batch ${microBatch} --global-batch ${globalBatch}`,
    flags: { microBatch, globalBatch },
  };
}

function recomputing({ activationCheckpointing }: Case): Way | null {
  if (activationCheckpointing) return null;
  return { words: '--activation-checkpointing', flags: { activationCheckpointing: true } };
}

function joined(one: Way, other: Way): Way {
  return { words: `${one.words} ${other.words}`, flags: { ...one.flags, ...other.flags } };
}

function modeWay(mode: Case['mode']): Way {
  return { words: `--mode ${mode}`, flags: { modes: [mode] } };
}

/** As many sequences a chip: more chips hold shares of what one has to hold whole. */
function moreChips({ chips, microBatch, globalBatch }: Case): Way[] {
  const counts: number[] = [];
  for (let count = chips * 2; count <= mostChips; count *= 2) counts.push(count);
  return counts.map((count) => {
    const batch = { microBatch, globalBatch: (globalBatch / chips) * count };
    return {
      words: `--chips ${count} --micro-batch ${microBatch} --global-batch ${batch.globalBatch}`,
      flags: { chips: count, ...batch },
    };
  });
}
