import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findLogFault, openLogFile } from '../../../adapters/log-source.ts';
import { readJson } from '../../../adapters/files.ts';
import { readTimeline } from '../../../core/figures/timeline/timeline-file.ts';
import { tracedFolder, type TracedRun } from '../../../core/figures/timeline/traced-run.ts';
import { createScanner } from '../../../core/logs/scan.ts';
import { runFiles } from '../../../core/results/run-files.ts';
import type { Context } from '../../context.ts';

/** What somebody who starts the trainer by hand calls its log. */
const logNames = [runFiles.log, 'log', 'train.log'] as const;

/** Whether a folder holds a timeline and is no run of this tool: the trainer was started by hand there. */
export function isBareFolder(path: string): boolean {
  const has = (name: string): boolean => existsSync(join(path, name));
  return has(runFiles.timeline) && !has(runFiles.record) && !has(runFiles.plan);
}

/**
 * Reads the timeline of such a folder, and what its log and its DeepSpeed JSON say of the run.
 * @returns why it cannot be drawn, for a person
 * @throws SuperOffloadError 'config' for a file that is no JSON.
 */
export async function readBareFolder(context: Context, path: string): Promise<TracedRun | string> {
  const read = readTimeline(await readJson(join(path, runFiles.timeline)));
  if (!read.ok) return `${join(path, runFiles.timeline)}: ${read.problem}`;
  const log = logNames.map((name) => join(path, name)).find((file) => existsSync(file));
  if (log === undefined) return `${path}: a timeline without a record, and without ${logNames.join(' or ')}`;
  const fault = await findLogFault(log);
  if (fault !== undefined) return `${log}: ${fault}`;
  const scanner = createScanner();
  await openLogFile(log).read(scanner.push, context.signal);
  const config = await readJson(join(path, runFiles.deepspeedConfig));
  const isObject = typeof config === 'object' && config !== null && !Array.isArray(config);
  const found = { name: basename(path), log: scanner.end(), config: isObject ? { ...config } : {} };
  const run = tracedFolder(found, read.timeline);
  return typeof run === 'string' ? `${path}: ${run}` : run;
}
