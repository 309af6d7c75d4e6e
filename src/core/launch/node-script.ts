import { runFiles } from '../results/run-files.ts';
import { quoteWord } from './quote.ts';

/**
 * `node.sh`, a node's part of a run under a schedule: started once on every node (with srun once a rank) with
 * SUPEROFFLOAD_RUN_ID, MASTER_ADDR, MASTER_PORT and, unless Slurm says it, SUPEROFFLOAD_NODE_RANK in its environment.
 * It runs `run.sh` beside it and leaves with its status, after noting both ends of it in `nodes/<node rank>.ndjson`
 * (core/launch/node-report.ts). A TERM that reaches the whole group does not keep it from that.
 * @param title one line
 * @param setup shell lines of the site, each a statement of its own; the first that fails ends the node's part
 */
export function nodeScript(title: string, setup: readonly string[]): string {
  return [
    '#!/bin/sh',
    `# One node's part of: ${title}`,
    ...entry,
    ...report,
    ...(setup.length === 0 ? [] : siteSetup(setup)),
    ...glooInterface,
    // Ended before there was anything to end: nothing begins.
    '[ -z "$ended" ] || leave 143',
    `/bin/sh "$folder/${runFiles.script}"`,
    'leave $?',
    '',
  ].join('\n');
}

const entry = [
  ': "${SUPEROFFLOAD_RUN_ID:?}" "${MASTER_ADDR:?}" "${MASTER_PORT:?}"',
  'SUPEROFFLOAD_NODE_RANK=${SUPEROFFLOAD_NODE_RANK:-${SLURM_NODEID:?}}',
  'export SUPEROFFLOAD_RUN_ID SUPEROFFLOAD_NODE_RANK MASTER_ADDR MASTER_PORT',
  'cd "$(dirname "$0")" && folder=$(pwd) || exit 127',
  // Not '': an ignored signal would stay ignored in the ranks.
  "ended=; trap 'ended=1' HUP INT PIPE TERM",
];

/**
 * The kernel counts OOM kills for the cgroup (v2 memory.events, v1 memory.oom_control) and for the machine
 * (/proc/vmstat); each may be absent. The shell's own group is the ranks' own, unless a launcher makes new ones.
 */
const report = [
  'count() { sed -n \'s/^oom_kill \\([0-9]*\\)$/\\1/p\' "$1" 2>/dev/null | head -n 1; }',
  'group_count() {',
  "  v2=$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null | head -n 1)",
  "  v1=$(sed -n 's/^[0-9]*:\\([^:]*,\\)\\{0,1\\}memory\\(,[^:]*\\)\\{0,1\\}:\\(.*\\)$/\\3/p' /proc/self/cgroup 2>/dev/null | head -n 1)",
  '  n=${v2:+$(count "/sys/fs/cgroup$v2/memory.events")}',
  '  echo "${n:-${v1:+$(count "/sys/fs/cgroup/memory$v1/memory.oom_control")}}"',
  '}',
  'since() { if [ -n "$1" ] && [ -n "$2" ]; then echo $(($2 - $1)); else echo null; fi; }',
  'note() {',
  `  printf '{"event":"%s","node":%s,"task":%s,"host":"%s","utc":"%s"%s}\\n' "$1" "$SUPEROFFLOAD_NODE_RANK" \\`,
  '    "${SLURM_LOCALID:-0}" "$(uname -n | tr -cd \'A-Za-z0-9._-\')" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" \\',
  `    >>"$folder/${runFiles.nodes}/$SUPEROFFLOAD_NODE_RANK.ndjson"`,
  '}',
  'leave() {',
  // A signal that comes now would end the commands that the line is made of, and leave half a line.
  "  trap '' HUP INT PIPE TERM",
  '  note end ",\\"exitCode\\":$1,\\"oomKills\\":{\\"cgroup\\":$(since "$group" "$(group_count)"),\\"machine\\":$(since "$machine" "$(count /proc/vmstat)")}"',
  '  exit "$1"',
  '}',
  `mkdir -p "$folder/${runFiles.nodes}" || exit 127`,
  'group=$(group_count) machine=$(count /proc/vmstat)',
  'note start ""',
];

/**
 * gloo listens at the address of the host's name, which may be one of the loopback (Debian's installer writes
 * `127.0.1.1 NAME` into /etc/hosts): then no other node reaches it. It is told the interface that leads to where the
 * ranks meet, unless the user says one (torch/csrc/distributed/c10d/ProcessGroupGloo.cpp). NCCL finds its own.
 */
const glooInterface = [
  'address() { getent ahostsv4 "$1" 2>/dev/null | sed -n "1s/ .*//p"; }',
  'own=$(address "$(uname -n)") meet=$(address "$MASTER_ADDR")',
  'case ${GLOO_SOCKET_IFNAME:+set}:${own:-127.}:${meet:-127.} in',
  ':127.*:127.*) ;;',
  ':127.*)',
  '  device=$(ip -o -4 addr show to "$meet" 2>/dev/null | awk \'{ print $2; exit }\')',
  '  [ -n "$device" ] || device=$(ip -o -4 route get "$meet" 2>/dev/null | sed -n "1s/.* dev \\([^ ]*\\).*/\\1/p")',
  '  [ -z "$device" ] || export GLOO_SOCKET_IFNAME="$device" ;;',
  'esac',
];

/** `module` is a function of the login shell: where there is none, /etc/profile is what makes it. */
function siteSetup(setup: readonly string[]): string[] {
  const checked = setup.flatMap((line) => [
    line,
    `setup_status=$?; [ $setup_status -eq 0 ] || { echo "superoffload: set-up line failed with status $setup_status on $(uname -n):" ${quoteWord(line)} >&2; leave $setup_status; }`,
  ]);
  return ['command -v module >/dev/null 2>&1 || [ ! -r /etc/profile ] || . /etc/profile', ...checked];
}
