import type { Fault } from '../../errors.ts';
import { nearest } from '../experiment/nearest.ts';
import type { SlurmSchedule } from '../launch/schedule.ts';
import { scontrolFields } from './parse-controller.ts';
import { limitSeconds } from './time-limit.ts';

/** What a partition gives to one job. */
export interface Partition {
  readonly name: string;
  readonly isDefault: boolean;
  /** `UP`, `DOWN`, `DRAIN`, `INACTIVE`. */
  readonly state: string;
  /** As Slurm writes it, `2-00:00:00`; `UNLIMITED`. */
  readonly maxTime: string;
  /** The most nodes of one job, as far as the partition itself says. */
  readonly maxNodes: number;
}

/** Lines of `scontrol show partition -o`. */
export function parsePartitions(text: string): Partition[] {
  return text.split('\n').flatMap((line) => {
    const fields = scontrolFields(line);
    const name = fields.get('PartitionName');
    if (name === undefined) return [];
    const nodes = [fields.get('TotalNodes'), fields.get('MaxNodes')].map(Number).filter(Number.isInteger);
    return [
      {
        name,
        isDefault: fields.get('Default') === 'YES',
        state: fields.get('State') ?? '',
        maxTime: fields.get('MaxTime') ?? 'UNLIMITED',
        maxNodes: Math.min(...nodes),
      },
    ];
  });
}

/**
 * Why a partition can never take a run, where it shows that itself. Slurm's own answer to a test is "Requested node
 * configuration is not available" for too many nodes and for too long a limit alike (22.05).
 * @returns null where the partition shows no reason
 */
export function partitionFault(
  { options, layout }: SlurmSchedule,
  partitions: readonly Partition[],
): Fault | null {
  const names = options['partition']?.split(',') ?? partitions.filter(byDefault).map(({ name }) => name);
  const unknown = names.find((name) => partitions.every((each) => each.name !== name));
  if (unknown !== undefined) return noPartition(unknown, partitions);
  const wanted = partitions.filter(({ name }) => names.includes(name));
  if (wanted.length === 0) return null;
  const most = Math.max(...wanted.map(({ maxNodes }) => maxNodes));
  const where = `partition ${names.join(',')}`;
  if (layout.nodes > most)
    return { place: where, problem: `gives a run at most ${most} nodes, not ${layout.nodes}` };
  return timeOver(options['time'] ?? '0', wanted, where);
}

function byDefault({ isDefault }: Partition): boolean {
  return isDefault;
}

function noPartition(name: string, partitions: readonly Partition[]): Fault {
  const known = partitions.map((each) => each.name);
  const meant = nearest(name, known);
  return {
    place: `--partition ${name}`,
    problem: `there is no such partition${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    expected: known.slice(0, 20).join(', '),
  };
}

function timeOver(time: string, partitions: readonly Partition[], where: string): Fault | null {
  const asked = limitSeconds(time) ?? 0;
  const limits = partitions.map(({ maxTime }) => limitSeconds(maxTime) ?? Number.POSITIVE_INFINITY);
  const longest = Math.max(...limits);
  if (asked <= longest) return null;
  const text = partitions[limits.indexOf(longest)]?.maxTime ?? '';
  return { place: `--time ${time}`, problem: `is over the limit of ${where}`, expected: `at most ${text}` };
}
