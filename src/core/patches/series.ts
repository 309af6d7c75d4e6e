/** A patch series as data: is it sound, and which of its patches does a stack get? */
import type { Fault } from '../../errors.ts';
import { versionOrder } from '../stack/version.ts';
import { placedFiles } from './places.ts';
import type { PlacedFile } from './places.ts';
import type { SeriesFile } from './series.schema.ts';

type ListedPatch = SeriesFile['patches'][number];
type When = NonNullable<ListedPatch['when']>;

/** A patch for one commit or version of its upstream. */
export type SeriesPatch = Omit<ListedPatch, 'files'> & { readonly files: readonly PlacedFile[] };

/** What the conditions of a series are about. */
export interface PatchFacts {
  /** Of a repository; null for a package of the index. */
  readonly commit: string | null;
  /** Of a package of the index; null for a repository. */
  readonly version: string | null;
  readonly torch: string;
  readonly deepspeed: string;
  /** How Apex is there; null where nothing needs it. */
  readonly apex: 'overlay' | 'build' | null;
}

/** One file of the tree that a series changes or adds. */
export interface Target {
  readonly path: string;
  /** Git blob id as the upstream has it; null where the upstream has no such file. */
  readonly upstream: string | null;
  /** Git blob id after the whole series; null for an overlay file, whose content is at hand. */
  readonly final: string | null;
  /** The patches that touch it, in order; none for an overlay file. */
  readonly patches: readonly string[];
}

export interface Selection {
  readonly patches: readonly SeriesPatch[];
  readonly overlay: SeriesFile['overlay'];
  readonly skipped: readonly { readonly file: string; readonly reason: string }[];
  readonly targets: readonly Target[];
}

/**
 * Is the series written for this kind of upstream? The layout of a repository and that of a package differ.
 * A commit or version that it does not list is no reason to refuse: the blob ids decide, file by file.
 */
export function isSeriesFor(series: SeriesFile, facts: PatchFacts): boolean {
  return series.commits === undefined ? facts.version !== null : facts.commit !== null;
}

/** Was the series made for exactly this commit or version? */
export function listsUpstream(series: SeriesFile, { commit, version }: PatchFacts): boolean {
  return [...(series.commits ?? []), ...(series.versions ?? [])].includes(commit ?? version ?? '');
}

/** The versions that a series is made for, in words: `0.18.0 to 0.18.9 and 0.19.8`. */
export function knownVersions({ versions = [] }: SeriesFile): string {
  const runs: string[][] = [];
  for (const version of [...versions].sort(versionOrder)) {
    const run = runs.at(-1);
    if (run !== undefined && next(run.at(-1) ?? '') === version) run.push(version);
    else runs.push([version]);
  }
  const words = runs.map((run) =>
    run.length > 2 ? `${run[0] ?? ''} to ${run.at(-1) ?? ''}` : run.join(', '),
  );
  return [words.slice(0, -1).join(', '), words.at(-1) ?? ''].filter((text) => text !== '').join(' and ');
}

function next(version: string): string {
  return version.replace(/\d+$/, (last) => String(Number(last) + 1));
}

/**
 * Chooses what applies under these facts.
 * @returns the choice, or the faults of a series whose conditions do not fit each other under these facts.
 */
export function selectPatches(
  series: SeriesFile,
  facts: PatchFacts,
  place: string,
): { readonly ok: true; readonly selection: Selection } | { readonly ok: false; readonly faults: Fault[] } {
  const judged = series.patches.map((listed) => ({
    patch: { ...listed, files: placedFiles(listed, facts.version) },
    reason: unmet(listed.when, facts),
  }));
  const patches = judged.filter(({ reason }) => reason === null).map(({ patch }) => patch);
  const judgedOverlay = series.overlay.map((file) => ({ file, reason: unmet(file.when, facts) }));
  const overlay = judgedOverlay.filter(({ reason }) => reason === null).map(({ file }) => file);
  const targets = new Map<string, Target>();
  const faults: Fault[] = [];
  for (const { file, files } of patches) {
    for (const { path, before, after } of files) {
      const known = targets.get(path) ?? { path, upstream: before, final: before, patches: [] };
      if (known.final !== before) {
        const problem = `${file} cannot follow on ${known.patches.join(', ')} in ${path} with this torch, DeepSpeed and Apex`;
        faults.push({ place: `${place} /patches`, problem, expected: known.final ?? 'null' });
      }
      targets.set(path, { ...known, final: after, patches: [...known.patches, file] });
    }
  }
  if (faults.length > 0) return { ok: false, faults };
  const ours = overlay.map(({ path }) => ({ path, upstream: null, final: null, patches: [] }));
  const skipped = [
    ...judged.map(({ patch, reason }) => ({ file: patch.file, reason })),
    ...judgedOverlay.map(({ file, reason }) => ({ file: file.path, reason })),
  ].flatMap(({ file, reason }) => (reason === null ? [] : [{ file, reason }]));
  return { ok: true, selection: { patches, overlay, skipped, targets: [...targets.values(), ...ours] } };
}

/** @returns the first condition that does not hold, in words; null where all hold. */
function unmet(when: When | undefined, facts: PatchFacts): string | null {
  if (when?.torch !== undefined && !isWithin(facts.torch, when.torch)) {
    return `torch is ${facts.torch}, not ${when.torch}`;
  }
  if (when?.deepspeed !== undefined && !isWithin(facts.deepspeed, when.deepspeed)) {
    return `DeepSpeed is ${facts.deepspeed}, not ${when.deepspeed}`;
  }
  if (when?.apex === undefined || when.apex === facts.apex) return null;
  const apex = facts.apex === 'build' ? 'is built from source' : 'comes from the overlay';
  return facts.apex === null ? 'Apex is not wanted' : `Apex ${apex}`;
}

/** Does a version lie in a range like `>=2.6,<2.12`? */
export function isWithin(version: string, range: string): boolean {
  return range
    .split(',')
    .every((part) =>
      part.startsWith('>=')
        ? versionOrder(version, part.slice(2)) >= 0
        : versionOrder(version, part.slice(1)) < 0,
    );
}
