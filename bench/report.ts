/**
 * `superoffload report` of a thousand runs: how long, how large. The runs are those of a folder that is named, as
 * often as it takes, each copy with a time and an id of its own.
 *
 *   npm run build && npx tsx bench/report.ts RUNS_FOLDER [COUNT]
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inScratch, machine, measureInTurns, median, program } from './measure.ts';

const [source, count = '1000'] = process.argv.slice(2);
if (source === undefined) throw new Error('name a folder of runs, for example .superoffload/runs');

/** Bytes of all files below a path, or of the file itself. */
function bytes(path: string): number {
  const information = statSync(path);
  if (information.isFile()) return information.size;
  return readdirSync(path).reduce((sum, name) => sum + bytes(join(path, name)), 0);
}

/** Distinct cases: each copy counts as another one, so that no configuration is shared. */
function copyRuns(home: string, distinct: boolean): void {
  const names = readdirSync(source ?? '').filter((name) =>
    statSync(join(source ?? '', name, 'record.json'), { throwIfNoEntry: false })?.isFile(),
  );
  for (let index = 0; index < Number(count); index += 1) {
    const name = names[index % names.length] ?? '';
    const second = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString();
    const id = `${second.replace(/[-:]|\.\d+/g, '')}${name.slice(16, -4)}${(index % 65_536).toString(16).padStart(4, '0')}`;
    const folder = join(home, 'runs', id);
    cpSync(join(source ?? '', name), folder, { recursive: true });
    const record = JSON.parse(readFileSync(join(folder, 'record.json'), 'utf8')) as Record<string, unknown>;
    const changes = distinct ? { caseId: `${String(record['caseId'])}-${index}` } : {};
    writeFileSync(
      join(folder, 'record.json'),
      JSON.stringify({ ...record, ...changes, runId: id, startedUtc: second }),
    );
    if (!distinct) continue;
    const plan = readFileSync(join(folder, 'plan.json'), 'utf8').replace(
      '"--seed"',
      `"--other", "${index}", "--seed"`,
    );
    writeFileSync(join(folder, 'plan.json'), plan);
  }
}

for (const distinct of [false, true]) {
  inScratch((folder, hook) => {
    const home = join(folder, 'home');
    mkdirSync(home);
    copyRuns(home, distinct);
    const env = { SUPEROFFLOAD_HOME: home };
    const out = join(folder, 'report');
    const command = ['node', '--import', hook, program, 'report', '--out', out];
    const measured = measureInTurns([{ name: 'report', command }], 3, { cwd: folder, env }).get('report');
    const sizes = ['index.html', 'report.md', 'runs.csv', 'runs'].map(
      (name) => `${name} ${(bytes(join(out, name)) / 1e6).toFixed(2)}`,
    );
    console.log(`${count} runs, ${distinct ? 'all of them distinct cases' : 'launches of the same cases'}`);
    console.log(
      `  ${median(measured?.seconds ?? []).toFixed(2)} s, ${(measured?.peakMB ?? 0).toFixed(0)} MB of memory`,
    );
    console.log(`  ${(bytes(out) / 1e6).toFixed(2)} MB in all: ${sizes.join(', ')}`);
  });
}
console.log(machine());
