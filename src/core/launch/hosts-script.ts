import { runFiles } from '../results/run-files.ts';
import { quoteWord } from './quote.ts';
import type { Host } from './schedule.ts';
import { sshCall } from './ssh-command.ts';

/**
 * `hosts.sh`: starts `node.sh` on every host by ssh, all at once, and leaves when the last of them has ended, with the
 * status of the first that failed. Of each it notes the status and the time in `hosts.ndjson`.
 *
 * It is a process of its own and not of this tool, so that a killed tool cuts neither the log nor the run. No word
 * goes through a remote login shell: that is given `/bin/sh` alone, whichever shell it is, and /bin/sh reads the rest
 * from its input. Output comes back line by line, so that those of several hosts do not mix within a line.
 * In its environment: SUPEROFFLOAD_HOSTS_OF (the run's id), MASTER_ADDR, MASTER_PORT, SUPEROFFLOAD_SSH (the ssh
 * command; none is `ssh`) and SUPEROFFLOAD_FORWARD (export statements for the hosts).
 */
export function hostsScript(title: string, hosts: readonly Host[]): string {
  return [
    '#!/bin/sh',
    `# Every node's part of: ${title}`,
    ': "${SUPEROFFLOAD_HOSTS_OF:?}" "${MASTER_ADDR:?}" "${MASTER_PORT:?}"',
    'cd "$(dirname "$0")" || exit 127',
    'quoted() { printf "\'%s\'" "$(printf %s "$1" | sed "s/\'/\'\\\\\\\\\'\'/g")"; }',
    `ssh_() { ${sshCall()}; }`,
    'program() {',
    '  printf \'%s\\n\' "${SUPEROFFLOAD_FORWARD:-}" \\',
    '    "export SUPEROFFLOAD_RUN_ID=$SUPEROFFLOAD_HOSTS_OF SUPEROFFLOAD_NODE_RANK=$1" \\',
    '    "export MASTER_ADDR=$(quoted "$MASTER_ADDR") MASTER_PORT=$MASTER_PORT" \\',
    // A file server may take its time to show another client what is new.
    `    "script=$(quoted "$(pwd)/${runFiles.nodeScript}"); n=0" \\`,
    '    \'while [ ! -e "$script" ] && [ $n -lt 30 ]; do sleep 1; n=$((n + 1)); done\' \\',
    '    \'exec /bin/sh "$script" </dev/null\'',
    '}',
    '# NODE_RANK HOST',
    'node() {',
    '  {',
    '    program "$@" | ssh_ "$2" /bin/sh',
    `    printf '{"node":%s,"status":%s,"utc":"%s"}\\n' "$1" $? "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >>${runFiles.hosts}`,
    `  } 2>&1 | LC_ALL=C grep -a --line-buffered '' >>${runFiles.log}`,
    '}',
    ...hosts.map(({ name }, index) => `node ${index} ${quoteWord(name)} &`),
    'wait',
    `status=$(sed -n 's/.*"status":\\([1-9][0-9]*\\).*/\\1/p' ${runFiles.hosts} | head -n 1)`,
    'exit "${status:-0}"',
    '',
  ].join('\n');
}

/** One line of `hosts.ndjson`. */
export interface HostEnd {
  /** Node rank. */
  readonly node: number;
  /** Exit status of its ssh: the node's own, or 255 where the connection failed. */
  readonly status: number;
  readonly utc: string;
}

/** @returns how the hosts ended that have, in that order; a line that is being written is left out. */
export function parseHostEnds(text: string): HostEnd[] {
  return text.split('\n').flatMap((line) => {
    try {
      const end = line === '' ? null : (JSON.parse(line) as HostEnd | null);
      return typeof end?.node === 'number' ? [end] : [];
    } catch {
      return [];
    }
  });
}
