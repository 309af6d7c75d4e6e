import { runFiles } from '../results/run-files.ts';
import { quoteWord } from './quote.ts';
import type { Host } from './schedule.ts';
import { sshFunction } from './ssh-command.ts';

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
    `folder=$(pwd | sed "s/'/'\\\\\\\\''/g")`,
    sshFunction,
    'program() {',
    '  printf \'%s\\n\' "${SUPEROFFLOAD_FORWARD:-}"',
    '  echo "export SUPEROFFLOAD_RUN_ID=$SUPEROFFLOAD_HOSTS_OF SUPEROFFLOAD_NODE_RANK=$1 MASTER_ADDR=$MASTER_ADDR MASTER_PORT=$MASTER_PORT"',
    `  echo "exec /bin/sh '$folder/${runFiles.nodeScript}' </dev/null"`,
    '}',
    'host() {',
    '  {',
    '    program "$1" | ssh_ "$2" /bin/sh',
    `    printf '{"node":%s,"status":%s,"utc":"%s"}\\n' "$1" $? "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >>${runFiles.hosts}`,
    `  } 2>&1 | LC_ALL=C sed -u '' >>${runFiles.log}`,
    '}',
    ...hosts.map(({ name }, index) => `host ${index} ${quoteWord(name)} &`),
    'wait',
    `status=$(sed -n 's/.*"status":\\([1-9][0-9]*\\).*/\\1/p' ${runFiles.hosts} | head -n 1)`,
    'exit "${status:-0}"',
    '',
  ].join('\n');
}
