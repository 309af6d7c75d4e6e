import { SuperOffloadError } from '../../errors.ts';
import { capture } from '../exec.ts';
import { storageError } from '../files.ts';

export interface GitApply {
  /** @returns the paths that a patch speaks of, or git's complaint. */
  readonly paths: (patch: string) => Promise<string[] | { readonly refusal: string }>;
  /** Applies a patch to the folder, whole or not at all. @returns git's complaint, or null. */
  readonly apply: (patch: string) => Promise<string | null>;
}

/**
 * `git apply` on a plain folder, bare of everything that a user, a system or an enclosing repository could change
 * about it. Inside a repository git would take the patch's paths from the top of that repository, skip every file that
 * is not there and still report success; so git is told of a repository that does not exist.
 */
export function gitApplyIn(
  folder: string,
  options: { readonly path: string | undefined; readonly signal: AbortSignal },
): GitApply {
  const env = {
    ...{ PATH: options.path, LC_ALL: 'C', HOME: `${folder}.no-home`, XDG_CONFIG_HOME: `${folder}.no-home` },
    GIT_DIR: `${folder}.no-repository`,
    ...{ GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
    ...{ GIT_ATTR_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' },
  };
  // Git before 2.32 knows no GIT_CONFIG_GLOBAL; there the empty HOME does it.
  const settings = ['core.autocrlf=false', 'core.safecrlf=false', 'core.attributesFile=/dev/null'];
  const git = async (args: readonly string[]) => {
    const command = ['git', ...settings.flatMap((each) => ['-c', each]), 'apply', ...args];
    const result = await capture(command, { env, cwd: folder, signal: options.signal });
    options.signal.throwIfAborted();
    if (/No space left|quota exceeded/i.test(result.stderr)) throw storageError({ code: 'ENOSPC' }, folder);
    if (result.startError === null) return result;
    const hint = 'install git (Debian: apt install git; macOS: xcode-select --install)';
    throw new SuperOffloadError({ code: 'environment', message: 'git cannot be started', hint });
  };
  const flags = ['--unidiff-zero', '--whitespace=nowarn', '-p1'];
  return {
    paths: async (patch) => {
      const { exitCode, stdout, stderr } = await git([...flags, '--numstat', '-z', patch]);
      if (exitCode !== 0) return { refusal: firstLine(stderr) };
      return stdout
        .split('\0')
        .filter((entry) => entry !== '')
        .map((entry) => entry.split('\t').slice(2).join('\t'));
    },
    apply: async (patch) => {
      for (const more of [['--check'], []]) {
        const { exitCode, stderr } = await git([...flags, ...more, patch]);
        if (exitCode !== 0) return firstLine(stderr);
      }
      return null;
    },
  };
}

function firstLine(stderr: string): string {
  return (
    stderr
      .split('\n')
      .find((line) => line !== '')
      ?.replace(/^error: /, '') ?? 'git gives no reason'
  );
}
