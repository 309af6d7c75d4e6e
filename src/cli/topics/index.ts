import type { CommandIo } from '../commands/module.ts';

/** One row a topic of `superoffload help`. Only the one that was asked for is loaded. */
export const topics: readonly {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly text: (io: CommandIo) => string | Promise<string> }>;
}[] = [
  {
    name: 'outcomes',
    summary: 'how a run can end, what proves it, and what to do then',
    load: () => import('./outcomes.ts'),
  },
  {
    name: 'exit-codes',
    summary: 'what the exit status of superoffload means',
    load: () => import('./exit-codes.ts'),
  },
  {
    name: 'run-folder',
    summary: 'the files of a run, and of the state folder',
    load: () => import('./run-folder.ts'),
  },
  {
    name: 'environment',
    summary: 'variables that superoffload reads, and those that it gives to runs',
    load: () => import('./environment.ts'),
  },
  {
    name: 'cases',
    summary: 'modes, sizes, and the keys that choose cases',
    load: () => import('./cases.ts'),
  },
  {
    name: 'systems',
    summary: 'the fields of a machine profile',
    load: () => import('./systems.ts'),
  },
  {
    name: 'hostfile',
    summary: 'runs on several machines by ssh',
    load: () => import('./clusters.ts').then(({ hostfileText }) => ({ text: hostfileText })),
  },
  {
    name: 'slurm',
    summary: 'runs on machines that Slurm gives',
    load: () => import('./clusters.ts').then(({ slurmText }) => ({ text: slurmText })),
  },
];

/** @returns the text of a topic; undefined where there is none of that name. */
export async function topicText(name: string | undefined, io: CommandIo): Promise<string | undefined> {
  const topic = topics.find((each) => each.name === name);
  return topic === undefined ? undefined : (await topic.load()).text(io);
}
