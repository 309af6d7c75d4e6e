import type { CommandModule } from './module.ts';

/** One row a verb. Only the module of the verb that was asked for is ever loaded. */
export const commands: readonly {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
  /** For programs: in no help and no list. */
  readonly hidden?: true;
}[] = [
  {
    name: 'quickstart',
    summary: 'check this machine, install, and measure a first real run',
    load: () => import('./quickstart.ts'),
  },
  {
    name: 'doctor',
    summary: 'say what this machine can run and what it lacks',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'install',
    summary: 'install torch and DeepSpeed into a private, verified stack',
    load: () => import('./install.ts'),
  },
  {
    name: 'patch',
    summary: "apply, list, verify or revert the patches of a stack's upstreams",
    load: () => import('./patch.ts'),
  },
  {
    name: 'stacks',
    summary: 'list, show, verify, compare and remove installed stacks',
    load: () => import('./stacks.ts'),
  },
  {
    name: 'models',
    summary: 'list the model sizes with their computed parameter counts',
    load: () => import('./models.ts'),
  },
  {
    name: 'systems',
    summary: 'list and show machine profiles, and measure this machine as one',
    load: () => import('./systems.ts'),
  },
  {
    name: 'config',
    summary: 'print the DeepSpeed JSON and the exact command of a case',
    load: () => import('./config.ts'),
  },
  {
    name: 'predict',
    summary: 'say what memory and time a case will take on any system, without running it',
    load: () => import('./predict.ts'),
  },
  {
    name: 'throughput',
    summary: 'measure the throughput of the offload modes on 1, 4 or any number of chips',
    load: () => import('./throughput.ts'),
  },
  {
    name: 'tune',
    summary:
      'find the fastest configuration of a size, or the largest size, and write it as a DeepSpeed JSON',
    load: () => import('./tune.ts'),
  },
  {
    name: 'campaign',
    summary: 'run all cases of an experiment, on any number of chips; go on where it was stopped',
    load: () => import('./campaign.ts'),
  },
  {
    name: 'model-size',
    summary: 'find the largest model that memory holds, for each mode',
    load: () => import('./model-size.ts'),
  },
  {
    name: 'sequence-length',
    summary: 'find the longest sequence that memory holds, for each mode',
    load: () => import('./sequence-length.ts'),
  },
  {
    name: 'dataset',
    summary: 'fetch, check, make and describe training data',
    load: () => import('./dataset.ts'),
  },
  {
    name: 'runs',
    summary: 'list, show, follow, cancel, replay and remove stored runs',
    load: () => import('./runs.ts'),
  },
  {
    name: 'figure',
    summary: "draw the paper's figures 10 to 13 with your runs, the prediction and the published values",
    load: () => import('./figure.ts'),
  },
  {
    name: 'report',
    summary: 'write stored runs as pages, Markdown and CSV',
    load: () => import('./report.ts'),
  },
  {
    name: 'compare',
    summary: 'hold two sets of results against each other: ratios, intervals, what else differed',
    load: () => import('./compare.ts'),
  },
  {
    name: 'gate',
    summary: 'say whether runs are worse than before: yes, no, or cannot tell',
    load: () => import('./gate.ts'),
  },
  {
    name: 'parse',
    summary: 'read steps, statistics and the outcome out of any training log',
    load: () => import('./parse.ts'),
  },
  {
    name: 'rollback',
    summary: "check that DeepSpeed's CPU Adam can take a step back, as SuperOffload needs",
    load: () => import('./rollback.ts'),
  },
  {
    name: 'completion',
    summary: 'print the completion script of bash, zsh or fish',
    load: () => import('./completion.ts'),
  },
  {
    name: 'complete',
    summary: 'say how a command line may go on',
    load: () => import('./complete.ts'),
    hidden: true,
  },
];
