import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { readLimits, type MeasuredLimits } from '../src/core/figures/timeline/rates.ts';
import { createContext } from '../src/workflows/context.ts';
import { readRecords } from '../src/workflows/records/read-records.ts';
import type { RunRecord } from '../src/core/results/record.ts';

/** What one call brought back. */
export interface Source {
  /** The file's name, or the folder's. */
  readonly name: string;
  /** Oldest first. */
  readonly records: readonly RunRecord[];
  /** What of it could not be read, and why. */
  readonly notes: readonly string[];
  /** What bench/overlap_limits.py measured of the machine in the same call; null where it did not run. */
  readonly limits: MeasuredLimits | null;
}

const measured = [
  'overlap-runs',
  'overlap-campaigns',
  'overlap-clip',
  'overlap-fair',
  'overlap-3b',
  'ablation-2b',
  'timelines-2b',
  'ablation-5b-part',
  'tune-5b-7b-16b',
  'ablation-5b',
  'timelines-2b-zero-2',
  'tune-3b',
  'overlap-clip-rates',
].map((name) => join(import.meta.dirname, `measured/${name}.tar.gz`));

/** Reads the records of each source; a tar that is no archive of this tool's is unpacked beside them. */
export async function readSources(paths: readonly string[] = measured): Promise<Source[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'superoffload-bench-'));
  const never = new AbortController().signal;
  try {
    const context = { ...createContext(() => {}, never, never), home: join(scratch, 'home') };
    const sources: Source[] = [];
    for (const [index, path] of paths.entries()) {
      const place = isPlainTar(path) ? unpacked(path, join(scratch, String(index))) : path;
      const { records, notes } = await readRecords(context, [place]);
      const own = { records: records.map(({ record }) => record), limits: limitsOf(path, place) };
      sources.push({ ...own, name: basename(path), notes });
    }
    return sources;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** As bench/gpu-session.sh keeps it among what a call brought back, or beside an archive, as measured/ has it. */
function limitsOf(path: string, place: string): MeasuredLimits | null {
  const candidates = [join(place, '../limits.json'), path.replace(/\.tar(\.gz)?$/, '-limits.json')];
  const found = candidates.find((file) => file.endsWith('.json') && existsSync(file));
  return found === undefined ? null : readLimits(JSON.parse(readFileSync(found, 'utf8')));
}

function isPlainTar(path: string): boolean {
  if (!/\.tar(\.gz)?$/.test(path) || !statSync(path).isFile()) return false;
  const [first = ''] = execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).split('\n');
  return first !== 'manifest.json';
}

function unpacked(path: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xf', path, '-C', folder]);
  const runs = join(folder, 'runs');
  return existsSync(runs) ? runs : folder;
}
