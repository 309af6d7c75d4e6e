import { processQuery } from '../machine/nvidia-smi.ts';
import { quoteWord } from './quote.ts';

export interface SweepRequest {
  readonly runId: string;
  /** Seconds from SIGTERM to SIGKILL; 0 kills at once; null only looks. */
  readonly graceSeconds: number | null;
  /** The run's port, on the host that had it; null on the others. */
  readonly port: number | null;
  /** How many GPUs of each host it had, the first ones; 0 asks about none. */
  readonly gpus: number;
}

/** What is left of a run on a host. */
export interface Sweep {
  readonly pids: readonly number[];
  /** Somebody listens at its port. */
  readonly portTaken: boolean;
  /** Processes that compute on the GPUs that it had, whosever they are. */
  readonly gpuPids: readonly number[];
}

/**
 * A program for a host's /bin/sh that ends what a run left there, and says what it could not. A process belongs to
 * the run when it carries the run's id in its environment, or is in the session of one that did (a child under
 * `env -i`): the rule of adapters/processes.ts; a name decides nothing. SIGCONT follows SIGTERM, since a stopped process
 * takes no other signal.
 */
export function sweepProgram({ runId, graceSeconds, port, gpus }: SweepRequest): string {
  return [
    `marker=${quoteWord(`SUPEROFFLOAD_RUN_ID=${runId}`)}`,
    "sessions=' '",
    ...processLines,
    ...(graceSeconds === null ? [] : endLines(graceSeconds)),
    'look; for pid in $pids; do echo "superoffload:left=$pid"; done',
    ...(port === null ? [] : [listenLine(port)]),
    ...(gpus === 0 ? [] : [gpuLine(gpus)]),
    'echo superoffload:end=',
    '',
  ].join('\n');
}

/** `look` sets `pids` to what is there now. Fields behind the name in /proc/PID/stat: state, parent, group, session. */
const processLines = [
  'look() {',
  '  mine=$(grep -lzxF "$marker" /proc/[0-9]*/environ 2>/dev/null | tr -cd "0-9\\n" | tr "\\n" " ")',
  '  found=$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v mine=" $mine" -v held="$sessions" \'',
  '    { pid = $1; sub(/^.*\\) /, ""); if ($1 == "Z") next; session[pid] = $4',
  '      if (index(mine, " " pid " ")) { ours[pid] = 1; if (!index(held, " " $4 " ")) held = held $4 " " } }',
  '    END { for (pid in session) if ((pid in ours) || index(held, " " session[pid] " ")) printf "%s ", pid',
  '          print ""; print held }\')',
  '  pids=$(echo "$found" | head -n 1); sessions=$(echo "$found" | sed -n 2p)',
  '}',
  'tell() { look; for pid in $pids; do kill "-$1" "$pid" 2>/dev/null; done; }',
  'gone() {',
  '  until=$(($(date +%s) + $1))',
  '  while look; [ -n "$pids" ]; do [ "$(date +%s)" -le "$until" ] || return 1; sleep 0.2 2>/dev/null || sleep 1; done',
  '}',
];

function endLines(graceSeconds: number): string[] {
  if (graceSeconds === 0) return ['tell KILL', 'gone 5'];
  return ['tell TERM', 'tell CONT', `gone ${graceSeconds} || { tell KILL; gone 5; }`];
}

/** The fourth column of /proc/net/tcp is the state: 0A listens. */
function listenLine(port: number): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return (
    `cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { print $2 }' | grep -q ':${hex}$' && ` +
    'echo superoffload:port=taken'
  );
}

function gpuLine(gpus: number): string {
  const ask = (query: readonly string[]): string =>
    `nvidia-smi ${query.map(quoteWord).join(' ')} 2>/dev/null`;
  const uuids = `$(${ask(uuidQuery)} | awk -F ', *' '$1 < ${gpus} { printf "%s ", $2 }')`;
  return `${ask(processQuery)} | awk -F ', *' -v uuids=" ${uuids}" 'index(uuids, " " $1 " ") { print "superoffload:gpu=" $2 }'`;
}

const uuidQuery = ['--query-gpu=index,uuid', '--format=csv,noheader'];

/** @returns null where the program did not come to its end. */
export function parseSweep(stdout: string): Sweep | null {
  if (!/^superoffload:end=/m.test(stdout)) return null;
  const numbers = (name: string): number[] =>
    [...stdout.matchAll(new RegExp(`^superoffload:${name}=(\\d+)`, 'gm'))].map(([, digits]) =>
      Number(digits),
    );
  return {
    pids: numbers('left'),
    portTaken: /^superoffload:port=taken/m.test(stdout),
    gpuPids: numbers('gpu'),
  };
}
