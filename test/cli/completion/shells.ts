import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShellName } from '../../../src/cli/completion/complete.ts';
import { program } from '../../e2e/program.ts';

/** @returns why there is no such shell here and can be none; null where there is one. */
export function provideShell(name: string): string | null {
  if (!existsSync('/usr/bin/script')) return 'no /usr/bin/script of util-linux, which gives a terminal';
  if (spawnSync(name, ['--version']).status === 0) return null;
  if (userInfo().uid !== 0) return `no ${name}, and only root may install it`;
  if (spawnSync('apt-get', ['--version']).status !== 0)
    return `no ${name}, and no apt-get to install it with`;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  const install = ['install', '-qq', '-y', '--no-install-recommends', ...wait, name];
  if (spawnSync('apt-get', install, { env }).status !== 0) {
    spawnSync('apt-get', ['update', '-qq', ...wait], { env });
    spawnSync('apt-get', install, { env });
  }
  return spawnSync(name, ['--version']).status === 0 ? null : `${name} cannot be installed`;
}

/** A shell on a terminal of its own, as a person sits before it. */
export interface Terminal {
  /** Types, ends the line, and returns the words that superoffload was started with then. */
  readonly enter: (keys: string) => Promise<string[]>;
  /** Types, and waits until the terminal shows this; then the line is thrown away. */
  readonly see: (keys: string, expected: string) => Promise<string>;
  readonly close: () => void;
}

const starts: Readonly<Record<ShellName, string>> = {
  bash: 'bash --noprofile --norc -i',
  zsh: 'zsh -f -i',
  fish: 'fish --no-config -i',
};

/** A zsh of nobody's: its completion has to be switched on. */
const setups: Readonly<Record<ShellName, string>> = {
  bash: "bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; source <(superoffload completion bash)",
  zsh: 'unsetopt BEEP; autoload -Uz compinit && compinit -u -d $PWD/.zcompdump; source <(superoffload completion zsh)',
  fish: 'superoffload completion fish | source',
};

/**
 * Starts an interactive shell in a folder. `superoffload` is a script there that completes by the built program, and
 * else writes down what it was started with.
 */
export async function openTerminal(shell: ShellName, cwd: string, home: string): Promise<Terminal> {
  const bin = join(cwd, '..', `bin-${shell}`);
  const heard = join(bin, 'heard');
  mkdirSync(bin, { recursive: true });
  const script = [
    '#!/bin/sh',
    `case "$1" in complete|completion) exec '${process.execPath}' '${program}' "$@" ;; esac`,
    `printf '%s\\0' "$@" > '${heard}.new'; mv '${heard}.new' '${heard}'`,
  ];
  writeFileSync(join(bin, 'superoffload'), `${script.join('\n')}\n`);
  chmodSync(join(bin, 'superoffload'), 0o755);
  const env = {
    ...{ PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd, SUPEROFFLOAD_HOME: home, TERM: 'xterm' },
    ...{ LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', XDG_DATA_HOME: cwd, XDG_CONFIG_HOME: cwd },
  };
  const child = spawn('/usr/bin/script', ['-q', '-e', '-c', starts[shell], '/dev/null'], { cwd, env });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
  const type = (keys: string): void => void child.stdin.write(keys);
  const enter = async (keys: string): Promise<string[]> => {
    rmSync(heard, { force: true });
    type(`${keys}\r`);
    await until(
      `${shell} starts superoffload after ${JSON.stringify(keys)}`,
      () => existsSync(heard),
      () => shown,
    );
    return readFileSync(heard, 'utf8').split('\0').slice(0, -1);
  };
  // A shell that is not ready yet may throw away what it is told.
  await until(
    `${shell} is there`,
    () => shown.length > 0,
    () => shown,
  );
  await sleep(300);
  type(`${setups[shell]}\r`);
  await enter('superoffload ready');
  const see = async (keys: string, expected: string): Promise<string> => {
    const before = shown.length;
    type(keys);
    await until(
      `${shell} shows ${expected}`,
      () => shown.slice(before).includes(expected),
      () => shown,
    );
    // Ctrl-U; fish has a list open that Escape closes.
    type(shell === 'fish' ? '\u001b\u0015' : '\u0015');
    return shown.slice(before);
  };
  return {
    enter,
    see,
    close: () => {
      end(child);
    },
  };
}

function end(child: ChildProcess): void {
  child.kill('SIGKILL');
}

async function until(what: string, holds: () => boolean, shown: () => string): Promise<void> {
  const endMs = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > endMs) throw new Error(`waited in vain until ${what}; the terminal shows:\n${shown()}`);
    await sleep(10);
  }
}
