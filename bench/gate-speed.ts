/**
 * What `gate` costs over 5,000 stored runs: the whole program, above and beside a bare Node. Run after `npm run build`:
 * npx tsx bench/gate-speed.ts [REPEATS]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { caseIdOf } from '../src/core/experiment/case-id.ts';
import { runIdOf } from '../src/core/results/run-files.ts';
import type { RunRecord } from '../src/core/results/record.ts';
import { iterationLines, finishedLine, recordOf } from '../test/core/sample-record.ts';
import { inScratch, machine, measureInTurns, median, program, type Subject } from './measure.ts';

const repeats = Number(process.argv[2] ?? 15);
const storedRuns = 5_000;
/** Cases of the baseline; each has a hundred runs, an hour apart. */
const cases = 50;

function storeRuns(home: string): void {
  const stepMs = Array.from({ length: 100 }, (_, index) => 1_000 + ((index * 7) % 13));
  const record = recordOf([...iterationLines(stepMs), finishedLine]);
  for (let index = 0; index < storedRuns; index += 1) {
    const globalBatch = 8 * (1 + (index % cases));
    const subject = { ...record.case!, globalBatch, gradientAccumulation: 1 + (index % cases) };
    const startedUtc = new Date(Date.UTC(2026, 0, 1) + index * 3_600_000).toISOString();
    const caseId = caseIdOf(subject);
    const runId = runIdOf(startedUtc, caseId, index.toString(16).padStart(4, '0'));
    const run: RunRecord = { ...record, runId, caseId, case: subject, startedUtc, endedUtc: startedUtc };
    mkdirSync(join(home, 'runs', runId), { recursive: true });
    writeFileSync(join(home, 'runs', runId, 'record.json'), JSON.stringify(run, null, 2));
  }
}

/** The references of the first runs, so that nearly all others are candidates and history. */
function firstBaseline(home: string, path: string): void {
  const update = ['gate', 'update', '--baseline', path, '--history', '20'];
  const end = spawnSync(process.execPath, [program, ...update], {
    encoding: 'utf8',
    env: { ...process.env, SUPEROFFLOAD_HOME: home },
  });
  if (end.status !== 0) throw new Error(end.stderr);
  // As if they had been written long ago.
  const file = JSON.parse(readFileSync(path, 'utf8')) as {
    references: { provenance: { runs: string[]; lastUtc: string } }[];
  };
  for (const { provenance } of file.references)
    Object.assign(provenance, { runs: [], lastUtc: '2025-12-31T00:00:00.000Z' });
  writeFileSync(path, JSON.stringify(file));
}

inScratch((folder, hook) => {
  const home = join(folder, 'home');
  storeRuns(home);
  const baseline = join(folder, 'base.json');
  firstBaseline(home, baseline);
  const node = [process.execPath, '--import', hook];
  // 0, 5 and 6 are all answers; a program that stops otherwise is none.
  const judged = `${JSON.stringify(program)} gate --baseline ${JSON.stringify(baseline)}`;
  const shell = (more: string): readonly string[] => [
    'sh',
    '-c',
    `${node.map((word) => JSON.stringify(word)).join(' ')} ${judged} ${more} >/dev/null || [ $? -ge 5 ]`,
  ];
  const subjects: Subject[] = [
    { name: 'bare node', command: [...node, '-e', '0'] },
    { name: 'gate, 150 references, newest of 5,000 runs, history 20', command: shell('') },
    {
      name: 'the same, all reports written',
      command: shell(`--junit ${folder}/j.xml --markdown ${folder}/m.md --gitlab ${folder}/g.json`),
    },
    { name: 'gate --from runs: all 5,000 judged', command: shell('--from runs') },
  ];
  const measured = measureInTurns(subjects, repeats, { cwd: folder, env: { SUPEROFFLOAD_HOME: home } });
  console.log(machine());
  const base = median(measured.get('bare node')?.seconds ?? []) * 1_000;
  for (const { name } of subjects) {
    const ms = median(measured.get(name)?.seconds ?? []) * 1_000;
    const peak = measured.get(name)?.peakMB ?? Number.NaN;
    console.log(
      `${name}: ${ms.toFixed(0)} ms (${(ms / base).toFixed(1)} times bare node), peak ${peak.toFixed(0)} MB`,
    );
  }
});
