import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Duplex } from 'node:stream';

/** What a finished command left. One shape whether it ran, failed, was killed or never started. */
export interface CommandResult {
  /** null when it died of a signal or never started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The reason it never started (no such file, no permission), else null. */
  readonly startError: string | null;
  readonly timedOut: boolean;
}

export interface CaptureOptions {
  /** The whole environment of the command; the tool's own is never passed on implicitly. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called with each line of stdout and stderr as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Runs a short command to its end and keeps what it printed. Never throws: failure is in the result. */
export async function capture(command: readonly string[], options: CaptureOptions): Promise<CommandResult> {
  // Loaded where it is used: it takes as long to load as Node itself, and most runs capture nothing.
  const { execa } = await import('execa');
  const [file = '', ...args] = command;
  const child = execa(file, args, {
    env: definedOnly(options.env),
    extendEnv: false,
    reject: false,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    forceKillAfterDelay: 5_000,
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.onLine === undefined ? {} : { all: true as const }),
  });
  if (options.onLine !== undefined) {
    for await (const line of child.iterable({ from: 'all' })) options.onLine(line);
  }
  const result = await child;
  return {
    exitCode: result.exitCode ?? null,
    signal: result.signal ?? null,
    stdout: text(result.stdout),
    stderr: text(result.stderr),
    startError:
      result.exitCode === undefined && result.signal === undefined ? (result.shortMessage ?? '') : null,
    timedOut: result.timedOut,
  };
}

/** A process group that outlives this program unless somebody stops it. */
export interface DetachedProcess {
  /** Leader of its own process group: signal `-pid` to reach all of it. */
  readonly pid: number;
  readonly exited: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
}

/**
 * Starts a command in its own process group, without any pipe to this program: a killed tool neither cuts the
 * log nor breaks the run. Whoever starts it must stop it. Node's own spawn, because nothing of execa would be
 * left: it has no output to read, and `detached` switches execa's clean-up off.
 * @throws Error with the system's reason when the command cannot be started.
 */
export async function startDetached(
  command: readonly string[],
  options: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): Promise<DetachedProcess> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    env: definedOnly(options.env),
    cwd: options.cwd,
    detached: true,
    stdio: 'ignore',
  });
  const exited = new Promise<Awaited<DetachedProcess['exited']>>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });
  // Rejects with the system's error when there is no such program or folder.
  await once(child, 'spawn');
  if (child.pid === undefined) throw new Error(`cannot start ${file}`);
  return { pid: child.pid, exited };
}

/** A filter's command said that it failed; the message is what it said. */
export class FilterError extends Error {}

/**
 * Starts a command as a filter: what is written to it comes out as it makes it, of any size. It ends with its input,
 * or when the stream is destroyed. The stream fails with the reason where the command cannot be started (`code` ENOENT:
 * there is none), or with a {@link FilterError}.
 */
export function startFilter(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Duplex {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { env: definedOnly(env), stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-2_000)));
  // Its end is told by how it ended, not by a pipe that broke because of that.
  child.stdin.on('error', () => undefined);
  const stream = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      if (child.stdin.destroyed || child.stdin.write(chunk)) done();
      else {
        const go = (): void => {
          child.stdin.off('drain', go).off('close', go);
          done();
        };
        child.stdin.once('drain', go).once('close', go);
      }
    },
    final: (done) => {
      child.stdin.end();
      done();
    },
    destroy: (error, done) => {
      child.kill('SIGKILL');
      done(error);
    },
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  child.once('error', (error) => stream.destroy(error));
  child.once('close', (exitCode, signal) => {
    if (exitCode === 0) stream.push(null);
    else stream.destroy(new FilterError(said.trim() || `${file} ended with ${signal ?? String(exitCode)}`));
  });
  return stream;
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
