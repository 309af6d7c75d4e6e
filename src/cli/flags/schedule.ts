import { Option, type Command, type OptionValues } from '@commander-js/extra-typings';
import { schedulerNames, type SchedulerName } from '../../core/experiment/case.ts';
import type { SchedulingFlags } from '../../core/launch/scheduling-flags.ts';
import { given } from './given.ts';
import { collect } from './values.ts';

/** The flags that say where runs take place: every verb that starts runs has them. */
export function declareScheduleFlags<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return command
    .optionsGroup('Where it runs:')
    .addOption(
      new Option('--scheduler <name>', "who gives runs their machines (default: the system's)").choices(
        schedulerNames,
      ),
    )
    .option('--hostfile <file>', 'hosts to reach by ssh, a line `NAME slots=N` each')
    .option('--partition <name>', 'Slurm partition')
    .option('--account <name>', 'Slurm account')
    .option('--time <limit>', 'Slurm time limit of a run, such as 30 or 1:30:00')
    .option('--qos <name>', 'Slurm quality of service')
    .option('--reservation <name>', 'Slurm reservation')
    .option('--nodelist <nodes>', 'Slurm nodes to use')
    .option('--exclude <nodes>', 'Slurm nodes to leave out')
    .option('--constraint <features>', 'Slurm node features')
    .option('--slurm <key=value>', 'any other option of sbatch, may be repeated', collect)
    .option('--exclusive-host', "let a run on fewer chips than a node has use all of the node's memory")
    .optionsGroup('Options:');
}

const slurmFlags = [
  'partition',
  'account',
  'time',
  'qos',
  'reservation',
  'nodelist',
  'exclude',
  'constraint',
] as const;

export type ScheduleOptions = Readonly<
  Partial<Record<(typeof slurmFlags)[number] | 'hostfile', string | undefined>>
> & {
  readonly scheduler?: SchedulerName | undefined;
  readonly slurm?: readonly string[] | undefined;
  readonly exclusiveHost?: true | undefined;
};

/** Flags as the planning wants them: only what was given. */
export function schedulingOf(options: ScheduleOptions): SchedulingFlags {
  const slurm = slurmFlags.flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...given('scheduler', options.scheduler),
    ...given('hostfile', options.hostfile),
    ...(slurm.length === 0 ? {} : { slurm: Object.fromEntries(slurm) }),
    ...given('slurmWords', options.slurm),
    ...given('exclusiveHost', options.exclusiveHost),
  };
}
