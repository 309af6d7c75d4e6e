import { Command } from '@commander-js/extra-typings';
import { declared } from '../declared.ts';
import { declareScheduleFlags } from '../flags/schedule.ts';
import { rows } from './topic-text.ts';

/** The flags that say where runs take place, as the verbs declare them. */
function flagRows(isWanted: (name: string) => boolean): string {
  const { flags } = declared(declareScheduleFlags(new Command()));
  return rows(
    flags.filter(({ name }) => isWanted(name)).map(({ usage, description }) => [usage, description] as const),
  );
}

const ofBoth = ['--scheduler', '--exclusive-host'];

export function hostfileText(): string {
  return [
    'Runs on several machines that ssh reaches without a password: --hostfile FILE. A line a host, as DeepSpeed has it:',
    '  node1 slots=4\n  node2 slots=4   # a comment',
    'slots are the chips of the host. Empty lines and lines that begin with # are left out; a host stands there once.',
    flagRows((name) => name === '--hostfile' || ofBoth.includes(name)),
    'Everything that a run needs must be on each host under the same path: the state folder on a shared file system.',
    'See what would be started where: superoffload throughput --hostfile FILE --chips 8 --dry-run',
  ].join('\n\n');
}

export function slurmText(): string {
  return [
    'Runs on machines that Slurm gives: --scheduler slurm, or a system whose profile says so.',
    flagRows((name) => name !== '--hostfile' && name !== '--help'),
    'Nodes, tasks, output, array and job name are decided by superoffload: --chips and the system say how many.',
    'A run goes on when its superoffload is gone: superoffload runs watch RUN. Ended by: superoffload runs cancel RUN.',
    'Campaigns can share jobs: superoffload campaign run EXPERIMENT --array, or --allocation.',
  ].join('\n\n');
}
