import { modes } from '../../core/deepspeed/modes/registry.ts';
import { modeNames, type Case, type ModeName } from '../../core/experiment/case.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import { superoffloadSettings, usesOverlap } from '../../core/model/superoffload-settings.ts';
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

/** Predictions of the case with other flags, by all that the prediction itself goes by. */
export interface OtherFlags {
  /** False where the flags are refused. */
  readonly fits: (change: ChangedFlags) => boolean;
  /** The smallest ratio with which the case in that mode fits and leaves some memory free; null where none does. */
  readonly ratioOf: (mode: ModeName) => number | null;
}

/**
 * What would make a case fit, as the flags that say so; of each kind the change that is the smallest.
 * @returns nothing that is not predicted to fit; empty where none of it is
 */
export function remediesOf(subject: Case, { fits, ratioOf }: OtherFlags): string[] {
  const first = (ways: readonly Way[]): Way[] => ways.filter(fits).slice(0, 1);
  const smaller = microBatchesOf(subject)
    .filter((size) => size < subject.microBatch)
    .reverse();
  const batch = smaller.map((size) => batchWay(subject, size));
  const recomputed = recomputing(subject);
  const onGpu = [...first(batch), ...first(recomputed === null ? [] : [recomputed])];
  const spare = first(withoutSpareBlocks(subject));
  const leanest = recomputed === null ? [] : batch.map((way) => joined(way, recomputed));
  const both = onGpu.length > 0 ? [] : first(leanest);
  const own = [subject.mode, ...modeNames.filter((mode) => mode !== subject.mode)];
  const waysOf = own.map((mode) => modeWays(subject, mode, ratioOf(mode)));
  const others = waysOf.flatMap(first);
  const leaner = [...(recomputed === null ? [] : [recomputed]), ...batch];
  const alone = [...onGpu, ...both, ...others].length > 0;
  const together = alone
    ? []
    : waysOf.flatMap((ways) =>
        first([...leaner, ...leanest].flatMap((lean) => ways.map((way) => joined(way, lean)))),
      );
  const found = [
    ...onGpu,
    ...both,
    ...spare,
    ...others,
    ...together,
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

/** The overlap optimizer's spare blocks are for speed alone. */
function withoutSpareBlocks(subject: Case): Way[] {
  if (!usesOverlap(subject) || superoffloadSettings(subject).speculation === 0) return [];
  const key = 'superoffload.speculation=0';
  return [{ words: `--ds ${key}`, flags: { deepspeedOverrides: [key] } }];
}

function joined(one: Way, other: Way): Way {
  return { words: `${one.words} ${other.words}`, flags: { ...one.flags, ...other.flags } };
}

/**
 * A mode that reads a ratio is faster the more of the optimizer the GPU has room for: so that first, where it is not all.
 * A mode that the case has already is no way, but another ratio is.
 */
function modeWays(subject: Case, mode: ModeName, ratio: number | null): Way[] {
  const isOwn = mode === subject.mode;
  const plain = isOwn ? [] : [{ words: `--mode ${mode}`, flags: { modes: [mode] } }];
  if (ratio === null || ratio === 0 || ratio >= (modes[mode].defaultRatio ?? 0)) return plain;
  const words = `${isOwn ? '' : `--mode ${mode} `}--ratio ${ratio}`;
  return [{ words, flags: { modes: [mode], ratio } }, ...plain];
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
