/**
 * `superoffload figure` of five thousand stored runs: their data alone, with the picture, and all four figures; and
 * `figure --help` beside `--help`, since only the verb that is asked for may cost anything. The runs are those of a
 * folder that is named, as often as it takes, each copy with a time and an id of its own.
 *
 *   npm run build && npx tsx bench/figures.ts RUNS_FOLDER [COUNT]
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inScratch, machine, measureInTurns, median, program } from './measure.ts';

const [source, count = '5000'] = process.argv.slice(2);
if (source === undefined) throw new Error('name a folder of runs, for example .superoffload/runs');
const repeats = 5;

interface Stored {
  readonly runId: string;
  readonly caseId: string;
}

/** Only what is read: a record each, as long as the real one. */
function copyRecords(from: string, home: string): void {
  const records = readdirSync(from)
    .map((name) => join(from, name, 'record.json'))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as Stored);
  for (let index = 0; index < Number(count); index += 1) {
    const record = records[index % records.length];
    if (record === undefined) throw new Error(`no record below ${from}`);
    const startedUtc = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString();
    const runId = `${startedUtc.replace(/[-:]|\.\d+/g, '')}-${record.caseId}-${(index % 65_536).toString(16).padStart(4, '0')}`;
    const folder = join(home, 'runs', runId);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'record.json'),
      `${JSON.stringify({ ...record, runId, startedUtc }, null, 2)}\n`,
    );
  }
}

const subjects = [
  ['--help', '--help'],
  ['figure --help', 'figure --help'],
  ['figure 10, data', 'figure 10 --formats json'],
  ['figure 10, picture', 'figure 10 --formats svg'],
  ['figure 10, picture and PNG', 'figure 10 --formats svg,png'],
  ['figure 13, picture', 'figure 13 --formats svg'],
  ['all figures, pictures and PNG', 'figure all'],
] as const;

inScratch((folder, hook) => {
  const home = join(folder, 'home');
  mkdirSync(home);
  copyRecords(source, home);
  const commands = subjects.map(([name, argv]) => {
    return { name, command: [process.execPath, '--import', hook, program, ...argv.split(' ')] };
  });
  const measured = measureInTurns(commands, repeats, { cwd: folder, env: { SUPEROFFLOAD_HOME: home } });
  console.log(`${count} runs, median of ${repeats}, ${machine()}`);
  for (const [name] of subjects) {
    const { seconds = [], peakMB = Number.NaN } = measured.get(name) ?? {};
    console.log(`  ${name.padEnd(32)} ${median(seconds).toFixed(2)} s, ${peakMB.toFixed(0)} MB`);
  }
});
