/** Is a patch series sound? */
import type { Fault } from '../../errors.ts';
import { placedFiles } from './places.ts';
import { isWithin } from './series.ts';
import type { SeriesFile } from './series.schema.ts';

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
  const chains = [null, ...(series.versions ?? [])].map((version) => chainFaults(series, version, place));
  return [
    ...faults,
    ...orderFaults(series, place),
    ...placeFaults(series, place),
    ...onceEach(chains.flat()),
  ];
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

/** A version is of one place only, and a place has a line for each hunk: more than that the blob ids say. */
function placeFaults({ versions: listed = [], patches }: SeriesFile, place: string): Fault[] {
  const faults: Fault[] = [];
  for (const [index, { files }] of patches.entries()) {
    for (const [each, { elsewhere = [] }] of files.entries()) {
      const at = `${place} /patches/${index}/files/${each}/elsewhere`;
      const versions = elsewhere.flatMap((other) => other.versions);
      const twice = versions.find((version, i) => versions.indexOf(version) < i);
      if (twice !== undefined) faults.push({ place: at, problem: `${twice} is there twice` });
      const strange = versions.find((version) => !listed.includes(version));
      if (strange !== undefined) faults.push({ place: at, problem: `${strange} is not in /versions` });
      for (const { lines } of elsewhere) {
        const falls = lines.findIndex((line, i) => line <= (lines[i - 1] ?? -1));
        if (falls !== -1) faults.push({ place: at, problem: `${lines.join(', ')}: lines must rise` });
      }
    }
  }
  return faults;
}

/**
 * Each `before` must be what some choice of the earlier patches leaves: the `after` of the last one that always
 * applies, or of a conditional one after it.
 * @param version null: the files as the patches were made from them.
 */
function chainFaults({ upstream, patches }: SeriesFile, version: string | null, place: string): Fault[] {
  const possible = new Map<string, Set<string | null>>();
  const faults: Fault[] = [];
  for (const [index, patch] of patches.entries()) {
    const { when } = patch;
    const isFor = upstream === 'deepspeed' ? when?.deepspeed : undefined;
    if (version !== null && isFor !== undefined && !isWithin(version, isFor)) continue;
    for (const [each, { path, before, after }] of placedFiles(patch, version).entries()) {
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

function onceEach(faults: readonly Fault[]): Fault[] {
  const texts = faults.map((fault) => JSON.stringify(fault));
  return faults.filter((_, index) => texts.indexOf(texts[index] ?? '') === index);
}
