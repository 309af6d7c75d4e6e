/**
 * `superoffload compare` over 5,000 stored runs: the runs of a folder that is named, as often as it takes, each copy
 * with a time and an id of its own; half of them against the other half. With the path of ReFrame's program beside it
 * (reframe-hpc of PyPI, in an environment of its own), in turns: `--performance-compare` over as many test cases that
 * it stored in its SQLite.
 *
 *   npm run build && npx tsx bench/compare.ts RUNS_FOLDER [REPEATS] [.../venv/bin/reframe]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inScratch, machine, measureInTurns, median, program, type Subject } from './measure.ts';

const [source, repeats = '15', reframe] = process.argv.slice(2);
if (source === undefined) throw new Error('name a folder of runs, for example .superoffload/runs');
const storedRuns = 5_000;

/** Fills a state folder, and tags one half `old` and the other `new`. */
function copyRuns(home: string): string[] {
  const records = readdirSync(source ?? '')
    .map((name) => join(source ?? '', name, 'record.json'))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>);
  const runIds = Array.from({ length: storedRuns }, (_, index) => {
    const record = records[index % records.length] ?? {};
    const startedUtc = new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString();
    const suffix = (index % 65_536).toString(16).padStart(4, '0');
    const runId = `${startedUtc.replace(/[-:]|\.\d+/g, '')}-${String(record['caseId'])}-${suffix}`;
    mkdirSync(join(home, 'runs', runId), { recursive: true });
    const text = JSON.stringify({ ...record, runId, startedUtc }, null, 2);
    writeFileSync(join(home, 'runs', runId, 'record.json'), text);
    return runId;
  });
  mkdirSync(join(home, 'tags'));
  for (const [name, half] of [
    ['old', runIds.slice(0, storedRuns / 2)],
    ['new', runIds.slice(storedRuns / 2)],
  ] as const) {
    const tag = { schemaVersion: 1, name, runIds: half, writtenUtc: new Date().toISOString() };
    writeFileSync(join(home, 'tags', `${name}.json`), JSON.stringify(tag));
  }
  return runIds;
}

const checks = 50;
const check = `
import reframe as rfm
import reframe.utility.sanity as sn

@rfm.simple_test
class Throughput(rfm.RunOnlyRegressionTest):
    case = parameter(range(${checks}))
    valid_systems = ['*']
    valid_prog_environs = ['*']
    executable = 'echo'

    @run_before('run')
    def say(self):
        self.executable_opts = [f'tflops: {100 + self.case}']

    @sanity_function
    def said(self):
        return sn.assert_found('tflops', self.stdout)

    @performance_function('TFLOPS')
    def tflops(self):
        return sn.extractsingle(r'tflops: (\\d+)', self.stdout, 1, float)
`;

/** ReFrame stores a session as one JSON and its test cases as rows: the one that it ran, an hour earlier each time. */
const multiply = `
import json, sqlite3, sys, uuid
db = sqlite3.connect(sys.argv[1])
session = db.execute('select * from sessions').fetchone()
cases = db.execute('select * from testcases').fetchall()
for hour in range(1, ${storedRuns / checks}):
    name, back = str(uuid.uuid4()), 3600 * hour
    blob = json.loads(session[3].replace(session[0], name))
    for key in ('time_start_unix', 'time_end_unix'):
        blob['session_info'][key] -= back
    for case in (case for run in blob['runs'] for case in run['testcases']):
        case['job_completion_time_unix'] -= back
    db.execute('insert into sessions values (?,?,?,?,?)', (name, session[1] - back, session[2] - back, json.dumps(blob), session[4]))
    db.executemany('insert into testcases values (?,?,?,?,?,?,?)',
                   [(*case[:4], case[4] - back, name, case[6].replace(session[0], name)) for case in cases])
db.commit()
print(db.execute('select count(*) from testcases').fetchone()[0])
`;

/** @returns what ReFrame is run with, after it has stored as many test cases. */
function storeInReframe(folder: string, tool: string): { command: string[]; env: Record<string, string> } {
  const database = join(folder, 'results.db');
  const env = { RFM_ENABLE_RESULTS_STORAGE: '1', RFM_SQLITE_DB_FILE: database, RFM_PREFIX: folder };
  writeFileSync(join(folder, 'check.py'), check);
  const run = (file: string, args: readonly string[]): string => {
    const end = spawnSync(file, args, { cwd: folder, env: { ...process.env, ...env }, encoding: 'utf8' });
    if (end.status !== 0) throw new Error(`${file}: ${end.stdout}${end.stderr}`);
    return end.stdout.trim();
  };
  run(tool, ['-c', 'check.py', '-r', '--exec-policy=async', '--report-file', join(folder, 'report.json')]);
  const stored = run(join(dirname(tool), 'python'), ['-c', multiply, database]);
  if (stored !== String(storedRuns)) throw new Error(`ReFrame has ${stored} test cases stored`);
  console.log(run(tool, ['--version']).padStart(1));
  const half = storedRuns / checks / 2;
  const spec = `now-${2 * half + 24}h:now-${half - 1}h/now-${half - 1}h:now/mean:/`;
  return { command: [tool, `--performance-compare=${spec}`], env };
}

inScratch((folder, hook) => {
  const home = join(folder, 'home');
  const runIds = copyRuns(home);
  const node = [process.execPath, '--import', hook];
  const tool = [...node, program];
  const other = reframe === undefined ? null : storeInReframe(folder, reframe);
  const subjects: Subject[] = [
    { name: 'bare node', command: [...node, '-e', '0'] },
    { name: `compare old new, ${storedRuns} runs`, command: [...tool, 'compare', 'old', 'new'] },
    {
      name: `compare runs RUN, ${storedRuns} runs`,
      command: [...tool, 'compare', 'runs', runIds[0] ?? ''],
    },
    { name: 'compare RUN RUN, of as many', command: [...tool, 'compare', runIds[0] ?? '', runIds[1] ?? ''] },
    ...(other === null ? [] : [{ name: `ReFrame, ${storedRuns} test cases`, command: other.command }]),
  ];
  const env = { SUPEROFFLOAD_HOME: home, ...other?.env };
  const measured = measureInTurns(subjects, Number(repeats), { cwd: folder, env });
  for (const { name } of subjects) {
    const { seconds = [], peakMB = Number.NaN } = measured.get(name) ?? {};
    const memory = Number.isNaN(peakMB) ? '' : `  ${peakMB.toFixed(0)} MB`;
    console.log(
      `${name.padEnd(34)} ${median(seconds).toFixed(2)} s (least ${Math.min(...seconds).toFixed(2)})${memory}`,
    );
  }
  console.log(`${machine()}, ${repeats} repeats in turns, medians`);
});
