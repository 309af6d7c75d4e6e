import { gpuQuery, processQuery } from '../machine/nvidia-smi.ts';
import { cpuDigestLines } from './cpu-digest.ts';
import { quoteWord } from './quote.ts';

/** What a host is asked before anything is started on it. */
export interface HostQuestion {
  /** Holds one file for each host to find and to take away: whether it is on a file system that all of them see. */
  readonly tokenFolder: string;
  /** Files that must be there, at the same path as here. */
  readonly files: readonly string[];
  /** The stack's Python and lock; null where the run uses none. */
  readonly stack: { readonly python: string; readonly lock: string } | null;
  readonly gpus: boolean;
  readonly tools: readonly string[];
}

/** What it answered; null where it could not say. */
export interface HostAnswer {
  readonly hostName: string;
  /** The kernel's id of this boot: two names with the same one are one machine. */
  readonly boot: string | null;
  /** Seconds since the epoch. */
  readonly clock: number | null;
  readonly arch: string;
  /** The digest of the CPU's model and instructions, as core/stack/ops.ts keys a build. */
  readonly isa: string | null;
  /** Whether it found its file, and could take it away. */
  readonly token: 'removed' | 'read-only' | 'absent';
  readonly absentFiles: readonly string[];
  readonly absentTools: readonly string[];
  /** What the stack's Python says its version is; null where it does not start. */
  readonly python: string | null;
  readonly lockSha256: string | null;
  /** Addresses by which others may reach it, the likeliest first. */
  readonly addresses: readonly string[];
  /** nvidia-smi's answers (core/machine/nvidia-smi.ts); null where it fails. */
  readonly gpus: string | null;
  readonly gpuProcesses: string | null;
}

const mark = 'superoffload:';

/**
 * A program for a host's /bin/sh that answers, one marked line a fact: whatever else a login prints is left out.
 * @param token its file in the token folder
 */
export function hostCheckProgram(question: HostQuestion, token: string): string {
  const path = `${question.tokenFolder}/${token}`;
  return [
    `say() { printf '${mark}%s=%s\\n' "$1" "$2"; }`,
    'say host "$(uname -n)"; say arch "$(uname -m)"; say clock "$(date +%s)"',
    'say boot "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"',
    ...cpuDigestLines,
    'say isa "$isa"',
    `if [ ! -e ${quoteWord(path)} ]; then say token absent`,
    `elif rm -- ${quoteWord(path)} 2>/dev/null; then say token removed; else say token read-only; fi`,
    ...question.files.map((file) => `[ -e ${quoteWord(file)} ] || say absentFile ${quoteWord(file)}`),
    ...question.tools.map(
      (tool) => `command -v ${quoteWord(tool)} >/dev/null || say absentTool ${quoteWord(tool)}`,
    ),
    ...(question.stack === null ? [] : stackLines(question.stack)),
    'set -- $SSH_CONNECTION; [ -z "${3:-}" ] || say address "$3"',
    'for address in $(hostname -I 2>/dev/null); do say address "$address"; done',
    ...(question.gpus ? gpuLines : []),
    'say end ""',
    '',
  ].join('\n');
}

function stackLines({ python, lock }: NonNullable<HostQuestion['stack']>): string[] {
  const version = 'import platform; print(platform.python_version())';
  return [
    `say python "$(${quoteWord(python)} -I -S -c ${quoteWord(version)} 2>/dev/null)"`,
    `say lockSha256 "$(sha256sum ${quoteWord(lock)} 2>/dev/null | cut -d ' ' -f 1)"`,
  ];
}

/** Each answer row by row, and that it was given: no row at all is an answer too. */
const gpuLines = [rowsOf('gpu', gpuQuery), rowsOf('gpuProcess', processQuery)];

function rowsOf(name: string, query: readonly string[]): string {
  const ask = `rows=$(nvidia-smi ${query.map(quoteWord).join(' ')} 2>/dev/null)`;
  return `${ask} && say ${name}Asked yes && printf '%s\\n' "$rows" | sed 's/^/${mark}${name}=/'`;
}

/** @returns null where the program did not come to its end there. */
export function parseHostAnswer(stdout: string): HostAnswer | null {
  const said = new Map<string, string[]>();
  for (const line of stdout.split(/\r?\n/)) {
    const [, name, value] = /^superoffload:([A-Za-z0-9]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) said.set(name, [...(said.get(name) ?? []), value]);
  }
  if (!said.has('end')) return null;
  const all = (name: string): string[] => (said.get(name) ?? []).filter((value) => value !== '');
  const one = (name: string): string | null => all(name)[0] ?? null;
  const rows = (name: string): string | null => (said.has(`${name}Asked`) ? all(name).join('\n') : null);
  return {
    hostName: one('host') ?? 'unknown',
    boot: one('boot'),
    clock: one('clock') === null ? null : Number(one('clock')),
    arch: one('arch') ?? 'unknown',
    isa: one('isa'),
    token: (one('token') ?? 'absent') as HostAnswer['token'],
    absentFiles: all('absentFile'),
    absentTools: all('absentTool'),
    python: one('python'),
    lockSha256: one('lockSha256'),
    addresses: [...new Set(all('address'))],
    gpus: rows('gpu'),
    gpuProcesses: rows('gpuProcess'),
  };
}
