/**
 * What the tool itself costs a campaign: the list of 1,000 and of 10,000 cases, the same among 5,000 stored runs, and
 * what it adds to each case of a campaign of 100 whose runs take no time, with full records. Everything is real: the
 * runs are processes, started from a stack whose Python is a shell script (test/e2e/toy-stack.ts).
 * Run after `npm run build`: npx tsx bench/campaign.ts [REPEATS]
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeToyExperiment, writeToyStack } from '../test/e2e/toy-stack.ts';
import { inScratch, machine, measureInTurns, median, program, type Subject } from './measure.ts';

const repeats = Number(process.argv[2] ?? 5);
const cases = 100;
const storedRuns = 5_000;

/** A folder with an experiment of so many cases, and its state folder. */
async function folderOf(parent: string, count: number): Promise<string> {
  const folder = join(parent, `cases-${count}`);
  mkdirSync(folder);
  writeToyExperiment(folder, count);
  await writeToyStack(join(folder, 'home'));
  return folder;
}

function tool(folder: string, ...argv: readonly string[]): void {
  const env = { ...process.env, SUPEROFFLOAD_HOME: join(folder, 'home') };
  const words = [program, 'campaign', 'run', 'experiment/toy.json', '--stack', 'toy', ...argv];
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`campaign run: exit ${status}\n${stderr}`);
}

/** The list as a shell starts it: everything is read anew. */
function listOf(name: string, folder: string): Subject {
  const words = ['campaign', 'run', 'experiment/toy.json', '--stack', 'toy', '--list'];
  const script = `cd '${folder}' && SUPEROFFLOAD_HOME=home exec '${process.execPath}' '${program}' ${words.join(' ')}`;
  return { name, command: ['/bin/sh', '-c', script] };
}

/** Copies of real run folders: other runs of the same cases. */
function storeRuns(home: string): void {
  const runs = join(home, 'runs');
  const names = readdirSync(runs);
  for (let index = names.length; index < storedRuns; index += 1) {
    const name = names[index % names.length] ?? '';
    const suffix = index.toString(16).padStart(4, '0');
    cpSync(join(runs, name), join(runs, name.replace(/[0-9a-f]{4}$/, suffix)), { recursive: true });
  }
}

function seconds(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** @returns milliseconds that the tool adds to one case, of each repeat */
function addedMs(folder: string): number[] {
  const home = join(folder, 'home');
  const python = join(home, 'stacks', 'toy', 'python');
  const bare = `i=0; while [ $i -lt ${cases} ]; do '${python}' -u train.py --train-iters 3 >/dev/null; i=$((i + 1)); done`;
  return Array.from({ length: repeats }, () => {
    for (const part of ['runs', 'campaigns']) rmSync(join(home, part), { recursive: true, force: true });
    const campaign = seconds(() => {
      tool(folder);
    });
    const alone = seconds(() => {
      spawnSync('/bin/sh', ['-c', bare], { env: { ...process.env, SUPEROFFLOAD_RUN_ID: 'bare' } });
    });
    return ((campaign - alone) * 1_000) / cases;
  });
}

async function prepare(parent: string) {
  return {
    hundred: await folderOf(parent, cases),
    thousand: await folderOf(parent, 1_000),
    tenThousand: await folderOf(parent, 10_000),
  };
}

const spread = (values: readonly number[], digits: number): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`;

console.log(`${machine()}, medians of ${repeats} (least to most)`);
const scratch = inScratch((folder) => {
  const parent = `${folder}-campaign`;
  mkdirSync(parent);
  return parent;
});
try {
  const { hundred, thousand, tenThousand } = await prepare(scratch);
  const lists = [
    listOf('list 1,000 cases', thousand),
    listOf('list 10,000 cases', tenThousand),
    { name: 'bare node', command: [process.execPath, '-e', '0'] },
  ];
  const listed = measureInTurns(lists, repeats, { cwd: scratch });
  for (const { name } of lists) console.log(`${name.padEnd(36)} ${spread(listed.get(name)!.seconds, 2)} s`);
  console.log(`${`added to each of ${cases} cases`.padEnd(36)} ${spread(addedMs(hundred), 0)} ms`);
  storeRuns(join(hundred, 'home'));
  const among = listOf(`list ${cases} cases, ${storedRuns} stored runs`, hundred);
  const found = measureInTurns([among], repeats, { cwd: scratch });
  console.log(`${among.name.padEnd(36)} ${spread(found.get(among.name)!.seconds, 2)} s`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
