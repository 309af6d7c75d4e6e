import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '..');
const home = join(root, '.superoffload');
const program = join(root, 'dist', 'main.js');
const done = 'SUPEROFFLOAD_TEST_SETUP';

/**
 * Before any test: the program is built from the sources as they are, and the stack that all tests of the real
 * engine share is installed by that very program. Both cost nothing when there is nothing to do.
 */
export default async function setup(): Promise<(() => void) | undefined> {
  // vitest calls it for each of its projects, in one process.
  if (process.env[done] !== undefined) return undefined;
  process.env[done] = 'yes';
  await alone(buildWhenStale);
  installSharedStack();
  return temporaryFolderOfAll();
}

/** What tests, and the programs that they start, leave behind goes with the whole run. @returns takes it away */
function temporaryFolderOfAll(): () => void {
  // Short: sockets lie in it, and their paths may have 108 characters.
  const folder = mkdtempSync(join(tmpdir(), 'so-'));
  // As the system's own: users of real clusters and of apt write there too.
  chmodSync(folder, 0o1777);
  process.env['TMPDIR'] = folder;
  return () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
}

/** Two test runs in one clone must not build at the same time: mkdir is the lock. */
async function alone(work: () => void): Promise<void> {
  const lock = join(root, 'node_modules', '.superoffload-build-lock');
  const until = Date.now() + 60_000;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      // Whoever holds it for a minute was killed.
      if (Date.now() > until) rmSync(lock, { recursive: true, force: true });
      await sleep(100);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function buildWhenStale(): void {
  if (existsSync(program) && statSync(program).mtimeMs > newestMs(join(root, 'src'))) return;
  const script = join(root, 'scripts', 'build.js');
  const built = spawnSync(process.execPath, [script], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the program cannot be built:\n${built.stdout}${built.stderr}`);
}

/** Time of the newest file or folder below, so that a removed file counts too. */
function newestMs(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((newest, entry) => {
    const path = join(folder, entry.name);
    return Math.max(newest, entry.isDirectory() ? newestMs(path) : statSync(path).mtimeMs);
  }, statSync(folder).mtimeMs);
}

function installSharedStack(): void {
  const env = { ...process.env, SUPEROFFLOAD_HOME: home };
  // Its progress is shown: from nothing this takes minutes.
  execFileSync(process.execPath, [program, 'install'], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
