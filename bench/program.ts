/**
 * What the tool itself costs: start-up, planning, a run whose command is trivial, and a list of 5,000 runs, each as
 * a ratio to (or above) a bare Node in the same run. Run after `npm run build`: npx tsx bench/program.ts [REPEATS]
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  inScratch,
  machine,
  measureInTurns,
  median,
  program,
  type Measured,
  type Subject,
} from './measure.ts';

const repeats = Number(process.argv[2] ?? 15);
const storedRuns = 5_000;
/** Prints three of Megatron's lines and its end line: a run that takes no time. */
const trivial =
  'for i in 1 2 3; do echo " iteration $i/ 3 | elapsed time per iteration (ms): 10.0 | lm loss: 1.0E+00 |"; done; ' +
  'echo "[exiting program at iteration 3]"';

function storeRuns(home: string): void {
  const runs = join(home, 'runs');
  const [name = ''] = readdirSync(runs);
  const record = JSON.parse(readFileSync(join(runs, name, 'record.json'), 'utf8')) as Record<string, unknown>;
  const stepMs = Array.from({ length: 100 }, (_, index) => 1_000 + index / 7);
  for (let index = 0; index < storedRuns; index += 1) {
    const suffix = index.toString(16).padStart(4, '0');
    const runId = `20260102T030405Z-throughput-command-sh-${suffix}`;
    mkdirSync(join(runs, runId));
    writeFileSync(join(runs, runId, 'record.json'), JSON.stringify({ ...record, runId, stepMs }, null, 2));
  }
}

function report(name: string, measured: Measured | undefined, base: Measured | undefined): void {
  const [ms, baseMs] = [measured, base].map((each) => median(each?.seconds ?? []) * 1_000);
  const ratio = (ms ?? 0) / (baseMs ?? 1);
  const peak = measured?.peakMB ?? Number.NaN;
  console.log(
    `${name.padEnd(34)} ${(ms ?? 0).toFixed(0).padStart(6)} ms  ${ratio.toFixed(2).padStart(6)} x bare node` +
      `  ${Number.isNaN(peak) ? '' : `${peak.toFixed(0)} MB`}`,
  );
}

inScratch((folder, hook) => {
  const node = [process.execPath, '--import', hook];
  const tool = [...node, program];
  const home = join(folder, 'home');
  const subjects: Subject[] = [
    { name: 'bare node', command: [...node, '-e', '0'] },
    { name: '--help', command: [...tool, '--help'] },
    { name: '--version', command: [...tool, '--version'] },
    { name: 'throughput --dry-run', command: [...tool, 'throughput', '--dry-run'] },
    { name: 'sh, the trivial command', command: ['/bin/sh', '-c', trivial] },
    {
      name: 'the same as a run',
      command: [...tool, 'throughput', '--workload', 'command', '--', 'sh', '-c', trivial],
    },
  ];
  console.log(`${machine()}, medians of ${repeats}, in turns`);
  const results = measureInTurns(subjects, repeats, { cwd: folder, env: { SUPEROFFLOAD_HOME: home } });
  for (const { name } of subjects) report(name, results.get(name), results.get('bare node'));
  const run = median(results.get('the same as a run')?.seconds ?? []);
  const bare = median(results.get('sh, the trivial command')?.seconds ?? []);
  console.log(`a run adds ${((run - bare) * 1_000).toFixed(0)} ms to its command`);

  const listed = join(folder, 'listed');
  cpSync(home, listed, { recursive: true });
  storeRuns(listed);
  const list = { name: `runs list --json, ${storedRuns} runs`, command: [...tool, 'runs', 'list', '--json'] };
  const lists = measureInTurns([list], Math.min(5, repeats), {
    cwd: folder,
    env: { SUPEROFFLOAD_HOME: listed },
  });
  report(list.name, lists.get(list.name), results.get('bare node'));
});
