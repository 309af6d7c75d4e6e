import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SimpleGit, SimpleGitOptions } from 'simple-git';
import { gitEnvironment } from '../core/upstreams/git-environment.ts';
import { redact } from '../core/upstreams/redact.ts';
import { SuperOffloadError } from '../errors.ts';
import { processesWith, signalProcess } from './processes.ts';

/** Where a folder of ours stands in its own repository. */
export interface SourceState {
  readonly commit: string;
  /** Tracked files differ from the commit. */
  readonly dirty: boolean;
}

/** @returns null where the folder is not the top of a repository (a packed release), or git does not answer. */
export async function sourceState(folder: string): Promise<SourceState | null> {
  // A release inside a project of the user's must not be taken for that project's repository.
  if (!existsSync(join(folder, '.git'))) return null;
  const { simpleGit } = await import('simple-git');
  try {
    const git = simpleGit(folder, { timeout: { block: 5_000 } });
    const status = await git.raw(['status', '--porcelain=v2', '--branch', '--untracked-files=no']);
    const commit = /^# branch\.oid ([0-9a-f]+)$/m.exec(status)?.[1];
    return commit === undefined ? null : { commit, dirty: /^[^#]/m.test(status) };
  } catch {
    return null;
  }
}

export interface GitOptions {
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called with each line of stderr as it comes, progress included; nobody's password is in it. */
  readonly onProgress?: (line: string) => void;
  /** Milliseconds without any output after which a command is ended; 60 000 by default. */
  readonly idleMs?: number;
}

/** The git of the PATH in one folder. */
export interface Git {
  /**
   * @param args a command and its arguments; a value of the user's goes after `--end-of-options` or `--`.
   * @returns what it printed to stdout.
   * @throws GitError when it fails, the signal's reason when it was aborted; no process of it is left then.
   */
  run(args: readonly string[]): Promise<string>;
}

/** A git command that failed: an expected error with git's own last lines. */
export class GitError extends SuperOffloadError {
  /** The last lines of stderr, without passwords: what {@link GitOptions} and the user's server had to say. */
  readonly stderr: string;
  /** It said nothing for too long. */
  readonly isIdle: boolean;

  constructor(details: { message: string; hint?: string; stderr: string; isIdle: boolean; cause: unknown }) {
    super({ code: 'environment', ...details });
    this.stderr = details.stderr;
    this.isIdle = details.isIdle;
  }
}

const defaultIdleMs = 60_000;
const keptLines = 20;
const killAfterMs = 300;
/** Every process of one command carries this: git leaves its transport helpers behind when it is killed. */
const markVariable = 'SUPEROFFLOAD_GIT';

/**
 * Configuration of every command. No hook and no monitor of the user's runs, nothing goes on in the background
 * after the command, no submodule is followed; protocol 2 lets any commit be asked for by its name.
 */
const config = [
  ...['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'gc.auto=0', 'maintenance.auto=false'],
  ...['submodule.recurse=false', 'fetch.recurseSubmodules=false', 'protocol.version=2'],
  ...['advice.detachedHead=false', 'color.ui=false'],
];

/** simple-git's own guard, open for what is set here and for what a user's GIT_CONFIG_* may set. */
const unsafe: NonNullable<SimpleGitOptions['unsafe']> = {
  ...{ allowUnsafeHooksPath: true, allowUnsafeFsMonitor: true, allowUnsafeTemplateDir: true },
  ...{ allowUnsafeSshCommand: true, allowUnsafeAskPass: true, allowUnsafeConfigPaths: true },
  ...{ allowUnsafeConfigEnvCount: true, allowUnsafeCredentialHelper: true, allowUnsafeUrlRewrite: true },
  ...{ allowUnsafeFilter: true, allowUnsafeExec: true },
};

/**
 * Opens git in a folder that exists. Its commands never ask (no terminal, no askpass, ssh in batch mode), speak
 * English, and end after `idleMs` without output.
 * @throws SuperOffloadError 'environment' when there is no such folder.
 */
export async function openGit(folder: string, options: GitOptions): Promise<Git> {
  options.signal.throwIfAborted();
  if (!existsSync(folder))
    throw new SuperOffloadError({ code: 'environment', message: `${folder}: no such folder` });
  const { simpleGit } = await import('simple-git');
  const run = (args: readonly string[], sshCommand: string): Promise<string> => {
    const mark = randomBytes(8).toString('hex');
    const env = { ...gitEnvironment(options.env, sshCommand), [markVariable]: mark };
    return runMarked(mark, options, (abort) => {
      const allowEnvironment = Object.keys(env);
      // stdout may be long: only its end says that it is whole. A helper that keeps it open has 2 s.
      const completion = { onClose: true, onExit: 2_000 };
      const errors = failedUnlessZero;
      const git = simpleGit(folder, { abort, config, unsafe, allowEnvironment, completion, errors });
      return { git: git.env(env), args };
    });
  };
  let sshCommand: Promise<string> | undefined;
  return {
    run: async (args) => {
      if (!mayConnect.has(commandOf(args))) return run(args, '');
      sshCommand ??= run(['config', '--default', '', '--get', 'core.sshCommand'], '').catch(
        emptyUnlessStopped,
      );
      return run(args, (await sshCommand).trim());
    },
  };
}

/** Commands that may start ssh. */
const mayConnect = new Set([
  'fetch',
  'ls-remote',
  'clone',
  'pull',
  'push',
  'lfs',
  'submodule',
  'remote',
  'archive',
]);

function commandOf(args: readonly string[]): string {
  return args.find((word, index) => !word.startsWith('-') && args[index - 1] !== '-c') ?? '';
}

/** A configuration that git cannot read is told by the command that needs it. */
function emptyUnlessStopped(error: unknown): string {
  if (error instanceof GitError) return '';
  throw error;
}

/** simple-git takes a command that failed silently, or that a signal ended, for one that went well. */
const failedUnlessZero: NonNullable<SimpleGitOptions['errors']> = (error, { exitCode }) =>
  error ?? (exitCode === 0 ? undefined : Buffer.from(`git ended with status ${exitCode}`));

type Prepare = (abort: AbortSignal) => { readonly git: SimpleGit; readonly args: readonly string[] };

async function runMarked(mark: string, options: GitOptions, prepare: Prepare): Promise<string> {
  const idle = new AbortController();
  const stop = AbortSignal.any([options.signal, idle.signal]);
  const ended = new AbortController();
  const { git, args } = prepare(stop);
  const idleMs = options.idleMs ?? defaultIdleMs;
  const timer = setTimeout(() => {
    idle.abort();
  }, idleMs);
  const lines: string[] = [];
  git.outputHandler((_command, stdout, stderr) => {
    stdout.on('data', () => timer.refresh());
    stderr.on('data', () => timer.refresh());
    eachLine(stderr, (line) => {
      lines.splice(0, lines.length - keptLines + 1);
      lines.push(line);
      options.onProgress?.(line);
    });
  });
  const kill = (): void => {
    void killMarked(mark, killAfterMs, ended.signal);
  };
  stop.addEventListener('abort', kill, { once: true });
  try {
    return await git.raw([...args]);
  } catch (error) {
    if (stop.aborted) await killMarked(mark, 0);
    options.signal.throwIfAborted();
    throw gitError(args, lines, idle.signal.aborted ? idleMs : null, error);
  } finally {
    clearTimeout(timer);
    ended.abort();
    stop.removeEventListener('abort', kill);
  }
}

/** git has had SIGINT from simple-git: whatever is left after a while is killed, helpers of its transport too. */
async function killMarked(mark: string, graceMs: number, unless?: AbortSignal): Promise<void> {
  if (graceMs > 0) await sleep(graceMs);
  if (unless?.aborted === true) return;
  for (const pid of processesWith(markVariable, mark)) signalProcess(pid, 'SIGKILL');
}

/** Splits at line feeds and at the carriage returns of progress lines. */
function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  const tell = (line: string): void => {
    if (line.trim() !== '') onLine(redact(line.trimEnd()));
  };
  stream.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString('utf8')).split(/[\r\n]+/);
    rest = parts.pop() ?? '';
    parts.forEach(tell);
  });
  stream.on('end', () => {
    tell(rest);
  });
}

function gitError(
  args: readonly string[],
  lines: readonly string[],
  idleMs: number | null,
  cause: unknown,
): SuperOffloadError {
  const command = commandOf(args);
  const text = cause instanceof Error ? redact(cause.message) : '';
  if (/spawn git ENOENT/.test(text)) {
    const hint =
      'Install git: on Debian and Ubuntu `apt-get install git`, on macOS `xcode-select --install`.';
    return new SuperOffloadError({
      code: 'environment',
      message: 'there is no git on the PATH',
      hint,
      cause,
    });
  }
  const said = lines.filter((line) => !/^(remote: )?[A-Z][a-z]+ing .*\d+% \(/.test(line)).join('\n');
  const message =
    idleMs === null
      ? `git ${command} failed: ${said === '' ? text : said}`
      : `git ${command} said nothing for ${idleMs / 1000} s and was ended${said === '' ? '' : `; before that: ${said}`}`;
  return new GitError({ message, stderr: said, isIdle: idleMs !== null, cause });
}
