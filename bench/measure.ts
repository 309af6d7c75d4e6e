import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
/** The built program; `SUPEROFFLOAD_MAIN` measures another build. */
export const program = process.env['SUPEROFFLOAD_MAIN'] ?? join(root, 'dist/main.js');

/** Prints the peak resident set of its process on stderr, KiB, whatever the program did. */
const reportPeak = `process.on('exit', () => process.stderr.write('PEAK ' + process.resourceUsage().maxRSS + '\\n'));`;

export interface Measured {
  /** Wall seconds of each repeat, in order. */
  readonly seconds: readonly number[];
  /** Highest resident set of any repeat; NaN for a program that is not Node. */
  readonly peakMB: number;
}

export interface Subject {
  readonly name: string;
  readonly command: readonly string[];
}

/** A folder that is gone afterwards, with a module for `node --import` that reports the peak of memory. */
export function inScratch<T>(work: (folder: string, peakHook: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'superoffload-bench-'));
  const hook = join(folder, 'peak.mjs');
  writeFileSync(hook, reportPeak);
  try {
    return work(folder, hook);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the subjects in turns (A B A B ...), so that what the machine does meanwhile meets all alike. */
export function measureInTurns(
  subjects: readonly Subject[],
  repeats: number,
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Map<string, Measured> {
  const seconds = new Map(subjects.map(({ name }) => [name, [] as number[]]));
  const peaks = new Map(subjects.map(({ name }) => [name, Number.NaN]));
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const { name, command } of subjects) {
      const [file = '', ...args] = command;
      const start = process.hrtime.bigint();
      const result = spawnSync(file, args, {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        cwd: options.cwd,
        env: { ...process.env, ...options.env },
      });
      seconds.get(name)?.push(Number(process.hrtime.bigint() - start) / 1e9);
      if (result.status !== 0)
        throw new Error(`${command.join(' ')}: exit ${result.status}\n${result.stderr}`);
      const peak = (Number(/PEAK (\d+)/.exec(result.stderr)?.[1]) * 1024) / 1e6;
      peaks.set(name, Math.max(peaks.get(name) || 0, peak));
    }
  }
  return new Map(
    subjects.map(({ name }) => [
      name,
      { seconds: seconds.get(name) ?? [], peakMB: peaks.get(name) ?? Number.NaN },
    ]),
  );
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** What a number was measured on. */
export function machine(): string {
  return `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}`;
}
