/** A patch series as data: is it sound, and which of its patches does a stack get? */
import type { Fault } from '../../errors.ts';
import { versionOrder } from '../stack/version.ts';
import type { SeriesFile } from './series.schema.ts';

export type SeriesPatch = SeriesFile['patches'][number];
type When = NonNullable<SeriesPatch['when']>;

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

/** What a schema cannot say. @returns every fault with its JSON path. */
export function seriesFaults(series: SeriesFile, place: string): Fault[] {
  const at = (path: string): string => `${place} /${path}`;
  const faults: Fault[] = [];
  if ((series.commits === undefined) === (series.versions === undefined)) {
    faults.push({ place: at('commits'), problem: 'and versions: exactly one of the two must be there' });
  }
  const files = series.patches.flatMap((patch, index) =>
    patch.files.map(({ path }, each) => ({ path, at: at(`patches/${index}/files/${each}/path`) })),
  );
  const overlay = series.overlay.map(({ path }, index) => ({ path, at: at(`overlay/${index}/path`) }));
  for (const file of [...files, ...overlay]) {
    const problem = pathProblem(file.path);
    if (problem !== null) faults.push({ place: file.at, problem: `${JSON.stringify(file.path)} ${problem}` });
  }
  const patched = new Set(files.map(({ path }) => path));
  for (const [index, file] of overlay.entries()) {
    const isTwice = overlay.findIndex(({ path }) => path === file.path) < index;
    if (isTwice) faults.push({ place: file.at, problem: `${file.path} is there twice` });
    if (patched.has(file.path)) faults.push({ place: file.at, problem: `${file.path} is patched as well` });
  }
  return [...faults, ...orderFaults(series, place), ...chainFaults(series, place)];
}

/** @returns why a path of a series may not be written to, or null. */
export function pathProblem(path: string): string | null {
  if (path.startsWith('/')) return 'is absolute';
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return 'has a backslash or a control character';
  const parts = path.split('/');
  if (parts.includes('..')) return 'leads out of the tree';
  if (parts.some((part) => part === '' || part === '.')) return 'has an empty part';
  return parts.some((part) => /^\.git(modules|attributes)?$/i.test(part)) ? "is one of git's own" : null;
}

function orderFaults({ patches }: SeriesFile, place: string): Fault[] {
  const faults: Fault[] = [];
  for (const [index, { file, files }] of patches.entries()) {
    const previous = patches[index - 1];
    if (previous !== undefined && previous.file.slice(0, 4) >= file.slice(0, 4)) {
      const problem = `${file} comes after ${previous.file}: the numbers must rise`;
      faults.push({ place: `${place} /patches/${index}/file`, problem });
    }
    const twice = files.findIndex(({ path }, each) => files.findIndex((one) => one.path === path) < each);
    if (twice !== -1) {
      faults.push({ place: `${place} /patches/${index}/files/${twice}/path`, problem: 'is there twice' });
    }
  }
  return faults;
}

/**
 * Each `before` must be what some choice of the earlier patches leaves: the `after` of the last one that always
 * applies, or of a conditional one after it.
 */
function chainFaults({ patches }: SeriesFile, place: string): Fault[] {
  const possible = new Map<string, Set<string | null>>();
  const faults: Fault[] = [];
  for (const [index, { files, when }] of patches.entries()) {
    for (const [each, { path, before, after }] of files.entries()) {
      const known = possible.get(path) ?? new Set([before]);
      if (!known.has(before)) {
        const expected = [...known].map((blob) => blob ?? 'null').join(' or ');
        const problem = `is ${before ?? 'null'}, which no earlier patch leaves`;
        faults.push({ place: `${place} /patches/${index}/files/${each}/before`, problem, expected });
      }
      const isConditional = when !== undefined && Object.keys(when).length > 0;
      possible.set(path, isConditional ? new Set([...known, after]) : new Set([after]));
    }
  }
  return faults;
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
  const judged = series.patches.map((patch) => ({ patch, reason: unmet(patch.when, facts) }));
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
function isWithin(version: string, range: string): boolean {
  return range
    .split(',')
    .every((part) =>
      part.startsWith('>=')
        ? versionOrder(version, part.slice(2)) >= 0
        : versionOrder(version, part.slice(1)) < 0,
    );
}
