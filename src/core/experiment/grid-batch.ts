import { resolveBatch } from '../model/batch.ts';
import type { GridSection } from './experiment-file.schema.ts';
import type { GridFlags } from './grid-flags.ts';

/** What an experiment says about one number of chips. */
export type ChipsEntry = GridSection['byChips'][string] & { readonly chips: number };

/** The entry of the largest listed number of chips up to `chips`, or of the smallest one listed. */
export function entryFor(section: GridSection, chips: number): ChipsEntry {
  const listed = listedChips(section);
  const key = listed.filter((count) => count <= chips).at(-1) ?? listed[0] ?? chips;
  return { chips: key, ...(section.byChips[String(key)] ?? { globalBatch: chips, models: [] }) };
}

/** Every number of chips that an experiment speaks of, the smallest first. */
export function listedChips({ byChips }: GridSection): number[] {
  return Object.keys(byChips)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Ranks that share a sequence: as asked, else as the experiment has it. */
export function sequenceParallelOf(section: GridSection, flags: GridFlags): number {
  return flags.sequenceParallel ?? (section.sequenceParallel === 'chips' ? (flags.chips ?? 1) : 1);
}

/** The batch of every case: as asked, else the experiment's. */
export function chooseBatch(section: GridSection, flags: GridFlags): ReturnType<typeof resolveBatch> {
  const { chips = 1 } = flags;
  const sequenceParallel = sequenceParallelOf(section, flags);
  const given = flags.microBatch !== undefined || flags.globalBatch !== undefined;
  return resolveBatch({
    chips,
    sequenceParallel,
    ...(flags.microBatch === undefined ? {} : { microBatch: flags.microBatch }),
    ...(flags.globalBatch === undefined ? {} : { globalBatch: flags.globalBatch }),
    ...(given ? {} : { globalBatch: defaultGlobalBatch(section, chips, sequenceParallel) }),
  });
}

/**
 * Exact where listed, else scaled so that every rank has as much to do. Ranks that share a sequence have as much to
 * do with as many fewer sequences.
 */
function defaultGlobalBatch(section: GridSection, chips: number, sequenceParallel: number): number {
  const entry = entryFor(section, chips);
  const shared = section.sequenceParallel === 'chips' ? entry.chips : 1;
  if (entry.chips === chips && sequenceParallel === shared) return entry.globalBatch;
  const dataParallel = Math.max(1, Math.floor(chips / sequenceParallel));
  return Math.max(1, Math.floor(entry.globalBatch / (entry.chips / shared))) * dataParallel;
}

/** Whether the paper's rule chooses between batches: the experiment has it, and no flag says otherwise. */
export function followsBatchRule(section: GridSection, flags: GridFlags): boolean {
  return section.batchRule === 'paper' && flags.batchRule !== false && flags.microBatch === undefined;
}
