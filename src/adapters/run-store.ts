import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SuperOffloadError } from '../errors.ts';
import { runScripts } from '../core/plan/describe.ts';
import type { RunPlan } from '../core/plan/run-plan.ts';
import { isRunId, runFiles, runIdOf } from '../core/results/run-files.ts';
import type { RunEvent } from '../core/results/run-event.ts';
import type { RunRecord } from '../core/results/record.ts';
import { makeFolder, storageError, withFileErrors, writeJsonAtomic } from './files.ts';

/** One run's folder, held by whoever made it: `mkdir` is the lock. */
export interface RunFolder {
  readonly runId: string;
  readonly path: string;
}

export function runsFolder(home: string): string {
  return join(home, 'runs');
}

/**
 * Makes the folder of a new run; two of the same second get different suffixes.
 * @throws SuperOffloadError 'environment' where the state folder cannot be written.
 */
export async function createRunFolder(home: string, caseId: string, nowMs: number): Promise<RunFolder> {
  const parent = runsFolder(home);
  return withFileErrors(parent, async () => {
    await makeFolder(parent);
    for (;;) {
      const runId = runIdOf(new Date(nowMs).toISOString(), caseId, randomBytes(2).toString('hex'));
      try {
        await mkdir(join(parent, runId));
        return { runId, path: join(parent, runId) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  });
}

/** Writes everything that the run needs and that repeats it. */
export async function writePlan(folder: RunFolder, plan: RunPlan, env: unknown): Promise<void> {
  await withFileErrors(folder.path, async () => {
    for (const [name, content] of Object.entries(plan.files))
      await writeFile(join(folder.path, name), content);
    for (const [name, content] of Object.entries(runScripts(plan))) {
      await writeFile(join(folder.path, name), content);
      await chmod(join(folder.path, name), 0o755);
    }
    await writeJsonAtomic(join(folder.path, runFiles.env), env);
    await writeJsonAtomic(join(folder.path, runFiles.plan), plan);
  });
}

/** Keeps the lock of the stack in the run's folder: the stack may be another by the time somebody asks. */
export async function writeLock(folder: RunFolder, text: string): Promise<void> {
  await withFileErrors(folder.path, () => writeFile(join(folder.path, runFiles.lock), text));
}

/**
 * Appends one event, at once: what is in the file is what a killed tool had done.
 * @throws SuperOffloadError 'environment' on a full disk.
 */
export function appendEvent(folder: RunFolder, event: RunEvent): void {
  const path = join(folder.path, runFiles.events);
  try {
    appendFileSync(path, `${JSON.stringify(event)}\n`);
  } catch (error) {
    throw storageError(error, path);
  }
}

export async function writeRecord(folder: RunFolder, record: RunRecord): Promise<void> {
  await writeJsonAtomic(join(folder.path, runFiles.record), record);
}

/** Asks the trainer to end after its current step. */
export async function requestStop(folder: RunFolder): Promise<void> {
  await withFileErrors(folder.path, () => writeFile(join(folder.path, runFiles.stop), ''));
}

/** @returns the ids of all run folders, oldest first. */
export async function listRunIds(home: string): Promise<string[]> {
  const names = await readdir(runsFolder(home)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new SuperOffloadError({
      code: 'environment',
      message: `cannot read ${runsFolder(home)}: ${(error as Error).message}`,
      cause: error,
    });
  });
  return names.filter(isRunId).sort();
}

export async function removeRun(home: string, runId: string): Promise<void> {
  await withFileErrors(runsFolder(home), () => rm(join(runsFolder(home), runId), { recursive: true }));
}
