import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A real Slurm of four nodes on this machine (test/clusters/slurm.sh): nobody else's is touched. */
export interface SlurmCluster {
  /** The environment in which its tools are meant. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  /** Runs a tool of Slurm's and returns what it printed. */
  readonly tool: (...words: readonly string[]) => Promise<string>;
  /** Ends the controller, which keeps its jobs in mind, and starts it again. */
  readonly stopController: () => void;
  /** Kills the controller: what it did not write down is lost. */
  readonly killController: () => void;
  readonly startController: () => void;
  /** Ends slurmdbd and starts it again: MariaDB stays. */
  readonly stopDatabase: () => void;
  readonly startDatabase: () => void;
  readonly stop: () => void;
}

const script = join(import.meta.dirname, 'slurm.sh');
const run = promisify(execFile);

/** Starts a cluster. @returns it, or why there can be none here. */
export async function startSlurm(): Promise<SlurmCluster | string> {
  const folder = mkdtempSync(join(tmpdir(), 'slurm-'));
  // Two test programs at once get different ports.
  const port = 20_000 + (process.pid % 400) * 20;
  const bare = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SLURM_')));
  const started = spawnSync('bash', [script, 'up', folder], {
    env: { ...bare, PORT: String(port) },
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (started.status === 3) return started.stdout.trim();
  if (started.status !== 0) throw new Error(`no Slurm: ${started.stderr}${started.stdout}`);
  const conf = join(folder, 'etc', 'slurm.conf');
  const env = { ...bare, SLURM_CONF: conf };
  const shell = (command: string): void => {
    spawnSync('bash', ['-c', command], { env, stdio: 'ignore', timeout: 60_000 });
  };
  const end = (daemon: string): void => {
    shell(`pid=$(cat ${folder}/pid/${daemon}.pid); kill $pid; while kill -0 $pid; do sleep 0.1; done`);
  };
  return Promise.resolve({
    env,
    folder,
    tool: async (...words) => (await run(words[0]!, words.slice(1), { env, encoding: 'utf8' })).stdout,
    stopController: () => {
      end('slurmctld');
    },
    killController: () => {
      shell(`kill -9 "$(cat ${folder}/pid/slurmctld.pid)"`);
    },
    startController: () => {
      shell(`slurmctld -f ${conf}`);
    },
    stopDatabase: () => {
      end('slurmdbd');
    },
    startDatabase: () => {
      shell(`MYSQL_UNIX_PORT=${folder}/db/socket slurmdbd`);
    },
    stop: () => {
      spawnSync('bash', [script, 'down', folder], { env, stdio: 'ignore', timeout: 60_000 });
    },
  });
}
