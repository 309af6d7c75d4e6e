import { placeholders } from '../launch/placeholders.ts';
import { quoteWord } from '../launch/quote.ts';
import type { SlurmSchedule } from '../launch/schedule.ts';
import { putBack } from '../logs/formats/builtin.ts';
import { runFiles } from '../results/run-files.ts';
import { directive } from './options.ts';
import type { SlurmPlan } from './slurm-plan.ts';

/** What a script must know of the run beside its plan. */
export interface JobPlace {
  readonly runId: string;
  /** The run folder, absolute, on a file system that all nodes see. */
  readonly folder: string;
}

/**
 * `job.sbatch`: what Slurm runs on the first node of a run. It starts `node.sh` on every node by srun (a task a rank
 * with the launcher srun) and keeps a journal (core/slurm/job-journal.ts), from which its end is known without any
 * controller.
 *
 * bash and not sh, for its `wait`: it returns when a trapped signal comes. A word makes it do a part alone: `node` is
 * the step's part on a node, `port` prints a free one, `sweep` ends what is left of the run on its node.
 */
export function jobScript(plan: SlurmPlan, { runId, folder }: JobPlace): string {
  const { schedule } = plan;
  return [
    '#!/bin/bash',
    ...(schedule.allocation === null ? jobDirectives(runId, schedule) : []),
    '',
    `# Run ${runId}: ${plan.title.replaceAll(/[\r\n]+/g, ' ')}`,
    `RUN_ID=${quoteWord(runId)}`,
    `cd ${quoteWord(folder)} || exit 127`,
    ...identity(schedule.allocation),
    ...journal,
    ...freePort,
    ...sweep,
    ...node(schedule),
    'case ${1:-} in port) free_port; exit ;; sweep) sweep; exit ;; node) node; exit ;; esac',
    '',
    `exec >>${runFiles.log} 2>&1`,
    ...signals,
    ...(schedule.allocation === null ? firstNode(schedule) : firstNodeOfAllocation),
    ...step(plan),
    '',
  ].join('\n');
}

function jobDirectives(runId: string, { options }: SlurmSchedule): string[] {
  return directives(runId, runFiles.log, options);
}

/**
 * The lines that sbatch reads. They end at the first command, so they are first.
 * @param output where Slurm writes, from the folder of the job
 */
export function directives(name: string, output: string, options: SlurmSchedule['options']): string[] {
  const all = { 'job-name': name, output, 'open-mode': 'append', ...options };
  return Object.entries(all).map(([option, value]) => directive(option, value));
}

/** A task of an array has a job id of its own, but is named `12_3` by all tools. */
function identity(allocation: string | null): string[] {
  if (allocation !== null) return [`JOB=${quoteWord(allocation)} RESTART=0`];
  return [
    'JOB=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}',
    'JOB=${JOB:-${SLURM_JOB_ID:?is set by Slurm: give this script to sbatch}} RESTART=${SLURM_RESTART_COUNT:-0}',
  ];
}

const journal = [
  'note() {',
  '  printf \'{"event":"%s","utc":"%s","job":"%s","restart":%d%s}\\n\' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \\',
  `    "$JOB" "$RESTART" "$2" >>${runFiles.jobEvents}`,
  '}',
  "host() { uname -n | tr -cd 'A-Za-z0-9._-'; }",
];

/**
 * A port of this node that nobody has, below those that the kernel gives to clients (32768 on by default), and from
 * another place for each job, so that two that start at once do not take the same.
 */
const freePort = [
  'free_port() {',
  '  local taken port seed',
  "  taken=\" $(awk 'FNR > 1 { sub(/.*:/, \"\", $2); print $2 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null | tr '\\n' ' ') \"",
  '  seed=$(printf %s "$RUN_ID $JOB $RESTART" | cksum)',
  '  port=$((20000 + ${seed%% *} % 12000))',
  '  while case $taken in *" $(printf %04X "$port") "*) ;; *) false ;; esac; do port=$((20000 + (port - 19999) % 12000)); done',
  '  echo "$port"',
  '}',
];

/**
 * Whoever carries the run's id on this node, and nobody else: a task may have left the group that Slurm watches. The
 * rank of the node is looked at too, since several nodes may be one machine.
 */
const sweep = [
  'carriers() {',
  '  grep -lzxF "SUPEROFFLOAD_RUN_ID=$RUN_ID" /proc/[0-9]*/environ 2>/dev/null |',
  '    xargs -r grep -lzxF "SLURM_NODEID=$SLURM_NODEID" 2>/dev/null | cut -d/ -f3',
  '}',
  'sweep() {',
  '  local signal pids i',
  '  for signal in TERM KILL; do',
  '    pids=$(carriers)',
  '    [ -n "$pids" ] || return 0',
  '    kill -s "$signal" $pids 2>/dev/null',
  '    for i in 1 2 3 4 5 6 7 8 9 10; do [ -n "$(carriers)" ] || return 0; sleep 0.3; done',
  '  done',
  '  note left ",\\"host\\":\\"$(host)\\",\\"pids\\":[$(carriers | paste -sd, -)]"',
  '}',
];

/**
 * The step's task: `node.sh`, and the end of whatever outlives it. When Slurm ends the job the ranks have heard it as
 * well, and get a moment, since Slurm kills all of its own after KillWait (30 s by default) and asks nobody else.
 * Tasks that are ranks leave the sweeping to the last step: one that is through must not end the others.
 */
function node({ options }: SlurmSchedule): string[] {
  const isAlone = (options['ntasks-per-node'] ?? '1') === '1';
  return [
    'node() {',
    '  local child status ended=',
    "  trap 'ended=1; sweep' TERM",
    `  SUPEROFFLOAD_RUN_ID=$RUN_ID /bin/sh ${runFiles.nodeScript} &`,
    '  child=$!',
    '  while kill -0 "$child" 2>/dev/null; do wait "$child"; done',
    '  wait "$child"',
    '  status=$?',
    ...(isAlone ? ['  [ -n "$ended" ] || sweep'] : []),
    '  return "$status"',
    '}',
  ];
}

/**
 * USR1 is Slurm's word that the time limit is near (--signal): the training ends after its current step. TERM is the
 * end, which Slurm tells the tasks itself.
 */
const signals = [
  'ended=',
  `on_limit() { note signal ',"signal":"USR1"'; echo limit >${runFiles.stop}; }`,
  `on_end() { ended=1; note signal ',"signal":"TERM"'; }`,
  'trap on_limit USR1',
  'trap on_end TERM',
  // A life before this one was asked to end; this one was not.
  `[ "$(cat ${runFiles.stop} 2>/dev/null)" != limit ] || rm -f ${runFiles.stop}`,
];

function firstNode({ layout }: SlurmSchedule): string[] {
  return [
    'NODES=$SLURM_JOB_NODELIST',
    // The name may mean another interface than the loopback, or nothing, on a node that is alone.
    layout.nodes === 1
      ? 'MASTER_ADDR=127.0.0.1'
      : 'MASTER_ADDR=$(scontrol show hostnames "$NODES" | head -n 1)',
    'MASTER_PORT=$(free_port)',
  ];
}

/** Started on any machine that reaches the controller; who starts it says which nodes of the allocation are free. */
const firstNodeOfAllocation = [
  'NODES=${SUPEROFFLOAD_NODES:?}',
  'MASTER_ADDR=${NODES%%,*}',
  'MASTER_PORT=$(srun --jobid="$JOB" --overlap --nodes=1 --ntasks=1 --nodelist="$MASTER_ADDR" --input=none /bin/bash "$PWD"/job.sbatch port)',
];

/** What a life before this one said, its nodes in their reports and all in the log, is not of this one. */
const anotherLife = `[ "$RESTART" = 0 ] || { mv ${runFiles.nodes} ${runFiles.nodes}.$RESTART 2>/dev/null; echo "${putBack} restart: $RESTART |"; }`;

function step({ schedule, env }: SlurmPlan): string[] {
  const { layout, options, allocation } = schedule;
  const where = allocation === null ? [] : ['--jobid="$JOB"', '--nodelist="$NODES"', '--job-name="$RUN_ID"'];
  const all = [...where, `--nodes=${layout.nodes}`, '--input=none', '--mpi=none', '--export=ALL'];
  // Launchers say whose line it is; where every task is a rank, srun does.
  const label = env['RANK'] === placeholders.slurmProcid ? ['--label'] : [];
  const itself = `/bin/bash "$PWD"/${runFiles.jobScript}`;
  const sweepers = [...all, '--ntasks-per-node=1', '--overlap', itself, 'sweep'].join(' ');
  const areRanks = (options['ntasks-per-node'] ?? '1') !== '1';
  return [
    '',
    ...(allocation === null ? [anotherLife] : []),
    'note start ",\\"host\\":\\"$(host)\\",\\"nodes\\":\\"$NODES\\",\\"port\\":${MASTER_PORT:-0}"',
    'export MASTER_ADDR MASTER_PORT',
    `srun ${[...all, ...taskWords(schedule), ...label].join(' ')} ${itself} node &`,
    'step=$!',
    // A signal ends `wait` but not the step; the status of a child that is gone can be asked for again.
    'while kill -0 "$step" 2>/dev/null; do wait "$step"; done',
    'wait "$step"',
    'status=$?',
    // A job that is being ended starts no more steps.
    ...(areRanks ? [`[ -n "$ended" ] || timeout 60 srun ${sweepers}`] : []),
    'note end ",\\"exitCode\\":$status"',
    'exit "$status"',
  ];
}

/** sbatch's options that a step must be told again: srun takes none of them from the job (22.05 on, srun(1)). */
function taskWords({ options, bindCores, allocation }: SlurmSchedule): string[] {
  const tasks = options['ntasks-per-node'] ?? '1';
  const cores = options['cpus-per-task'];
  const gpus = options['gpus-per-node'];
  return [
    `--ntasks-per-node=${tasks}`,
    ...(cores === undefined ? [] : [`--cpus-per-task=${quoteWord(cores)}`]),
    ...(allocation === null || gpus === undefined ? [] : [`--gpus-per-node=${quoteWord(gpus)}`]),
    `--cpu-bind=${bindCores ? 'cores' : 'none'}`,
    // Without it a rank that died leaves the others waiting for it until the time limit.
    '--kill-on-bad-exit=1',
  ];
}
