import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createScanner } from '../core/logs/scan.ts';
import type { FolderTexts } from '../core/report/run-details.ts';
import { runFiles } from '../core/results/run-files.ts';
import { openLogFile } from './log-source.ts';

/** More is no plan and no configuration: a page shows the beginning of it. */
const maxFileBytes = 1 << 20;

/** What a report shows of a run's folder beside its record; what cannot be read counts as not there. */
export async function readRunFolder(folder: string): Promise<FolderTexts> {
  const names = await readdir(folder).catch(() => []);
  return {
    plan: await smallText(join(folder, runFiles.plan)),
    config: await smallText(join(folder, runFiles.deepspeedConfig)),
    names,
  };
}

async function smallText(path: string): Promise<string | null> {
  try {
    const information = await stat(path);
    return information.isFile() && information.size <= maxFileBytes ? await readFile(path, 'utf8') : null;
  } catch {
    return null;
  }
}

/** @returns the size of a run's log; null where there is none. */
export async function logBytes(folder: string): Promise<number | null> {
  const information = await stat(join(folder, runFiles.log)).catch(() => null);
  return information?.isFile() === true ? information.size : null;
}

/** @returns the losses of a run's log by iteration; where a resumed run did one again, the later one. */
export async function readLosses(folder: string, signal: AbortSignal): Promise<number[]> {
  const losses = new Map<number, number>();
  const scanner = createScanner((_, events) => {
    for (const event of events) {
      if (event.type === 'iteration' && event.loss !== null) losses.set(event.iteration, event.loss);
    }
  });
  await openLogFile(join(folder, runFiles.log)).read(scanner.push, signal);
  scanner.end();
  return [...losses].sort(([a], [b]) => a - b).map(([, loss]) => loss);
}
