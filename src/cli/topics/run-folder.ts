import { runFiles } from '../../core/results/run-files.ts';
import { rows } from './topic-text.ts';

/** What each name of core/results/run-files.ts is: one that is new there does not compile without its line here. */
const meanings: Readonly<Record<keyof typeof runFiles, string>> = {
  record: 'the result: outcome with its proof, all step times, statistics, memory, machine. Written last',
  plan: 'everything that the run does, as data: runs replay repeats it from there',
  deepspeedConfig: 'the DeepSpeed JSON',
  script: 'what runs: environment and command',
  env: 'the environment then, secrets redacted',
  events: 'what superoffload did, as it did it',
  log: 'what all ranks printed; the run writes it itself',
  ranks: "each rank's output (torchrun)",
  timeline: 'what happened within one step (throughput --timeline): superoffload figure timeline draws it',
  nodeScript: 'what every node starts',
  opsScript: "a node's own build of DeepSpeed's ops, where its CPU is another",
  nodes: 'what each node says of its beginning and end',
  hostsScript: 'starts node.sh on the hosts of a hostfile',
  hosts: 'how each host ended, as ssh saw it',
  jobScript: "Slurm's job",
  jobEvents: 'what the job says of itself',
  array: 'of a job array, in the folder of its first run',
  arrayScript: 'within it: the script of the array',
  lock: 'the lock of the stack that ran it',
  stop: 'there: the trainer ends after its current step',
  cancel: 'there: whoever follows the run ends it',
};

/** File and meaning. */
export function runFileMeanings(): (readonly [file: string, meaning: string])[] {
  return Object.entries(meanings).map(([key, meaning]) => [runFiles[key as keyof typeof runFiles], meaning]);
}

export function text(): string {
  return [
    'A run is a folder of plain files, runs/<utc>-<case id>-<4 hex>/ of the state folder:',
    rows(runFileMeanings()),
    'The state folder is .superoffload in the folder you work in, or SUPEROFFLOAD_HOME:',
    rows([
      ['runs/', 'one folder a run'],
      ['campaigns/', 'what each campaign is, and its journal'],
      ['tunes/', 'journals of tunings, by which one that was stopped goes on'],
      ['stacks/', 'installed torch and DeepSpeed, each with its lock'],
      ['datasets/', 'fetched and made training data'],
      ['tags/', 'names for runs'],
    ]),
    'To take runs along: superoffload runs export --archive FILE.tar.gz',
  ].join('\n\n');
}
