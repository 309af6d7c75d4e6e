import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Job } from './engine-child.ts';
import { newFolder } from './git-tree.ts';

export interface ChildEnd {
  /** The steps that it told of. */
  readonly told: readonly string[];
  /** `code: message` of its failure. */
  readonly failure: string | null;
  readonly signal: string | null;
}

/** Runs the engine in a process of its own, kills it with SIGKILL where it stands still, and waits for its end. */
export async function runChild({
  user,
  ...job
}: Job & { readonly user?: number | undefined }): Promise<ChildEnd> {
  const program = join(import.meta.dirname, 'engine-child.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // tsx keeps a cache of its own below TMPDIR, by user.
    env: { PATH: process.env['PATH'], TMPDIR: user === undefined ? newFolder() : '/tmp' },
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
    if (stdout.includes('stopped\n')) child.kill('SIGKILL');
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const signal = await new Promise<string | null>((resolve) => {
    child.once('close', (_code, by) => {
      resolve(by);
    });
  });
  const failure = /^FAILURE (.*)$/ms.exec(stderr)?.[1]?.trim() ?? null;
  if (failure === null && stderr !== '') throw new Error(stderr);
  return { told: stdout.trim().split('\n'), failure, signal };
}
