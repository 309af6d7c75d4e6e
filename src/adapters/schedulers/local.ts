import { join } from 'node:path';
import { runFiles } from '../../core/results/run-files.ts';
import { startDetached, type DetachedProcess } from '../exec.ts';
import { runIdVariable } from '../processes.ts';

/**
 * Starts a run's script on this machine. The script's own shell opens the log, so that output needs no pipe to
 * this program and goes on when the program is killed.
 * @throws Error when no shell can be started.
 */
export async function startLocally(
  folder: string,
  runId: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<DetachedProcess> {
  const redirect = 'exec >>"$1" 2>&1; exec /bin/sh "$2"';
  return startDetached(
    ['/bin/sh', '-c', redirect, 'superoffload', join(folder, runFiles.log), join(folder, runFiles.script)],
    { env: { ...env, [runIdVariable]: runId }, cwd: folder },
  );
}
