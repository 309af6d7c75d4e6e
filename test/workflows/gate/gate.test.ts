import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Baseline } from '../../../src/core/gate/baseline.ts';
import type { GateReport } from '../../../src/core/gate/report.ts';
import { runIdOf } from '../../../src/core/results/run-files.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { launch, session } from '../../core/gate/gate-runs.ts';
import { gatePlace } from './gate-place.ts';

const place = gatePlace();
const file = join(place.cwd, 'base.json');
let suffix = 0;

/** With ids as real runs have them: the day, the case, four digits. */
function named(runs: readonly RunRecord[]): RunRecord[] {
  return runs.map((run) => {
    suffix += 1;
    return { ...run, runId: runIdOf(run.startedUtc, run.caseId, suffix.toString(16).padStart(4, '0')) };
  });
}

const first = named(session(0, [1000, 1004, 996]));

const gate = (...argv: string[]) => place.run(argv);

const baseline = (): Baseline => JSON.parse(readFileSync(file, 'utf8')) as Baseline;

beforeAll(() => {
  place.store(first);
});

describe('superoffload gate', () => {
  it('update shows what it would write, then writes it, and says nothing changes the second time', async () => {
    const dry = await gate('update', '--baseline', 'base.json', '--dry-run');
    expect(dry).toMatchObject({ code: 0 });
    expect(dry.stdout).toMatch(/^\+ added: modelTflopsPerGpu: .*: 100 TFLOPS of 3 runs/);
    expect(existsSync(file)).toBe(false);
    expect(await gate('update', '--baseline', 'base.json')).toMatchObject({ code: 0 });
    const before = readFileSync(file, 'utf8');
    expect(baseline().references.map(({ metric }) => metric)).toEqual([
      'modelTflopsPerGpu',
      'peakGpuGiB',
      'peakHostGiB',
    ]);
    const again = await gate(
      'update',
      '--baseline',
      'base.json',
      '--from',
      ...first.map(({ runId }) => runId),
    );
    expect(again.stdout).toContain('nothing to change');
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(readdirSync(place.cwd).sort()).toEqual(['base.json', 'home']);
  });

  it('answers 6 where nothing was run since, 0 for the same speed, 5 for a loss, 4 for a crash', async () => {
    expect((await gate('--baseline', 'base.json')).code).toBe(6);
    const same = named(session(0, [1001, 1003, 998], { minute: 0 }).map(shifted(10)));
    place.store(same);
    const pass = await gate('--baseline', 'base.json');
    expect(pass, pass.stdout).toMatchObject({ code: 0 });
    expect(pass.stdout).toMatch(/PASS: against base\.json: 3 pass\n$/);
    const slow = named(session(0, [1100, 1103, 1098], { stack: 'b' }).map(shifted(20)));
    place.store(slow);
    const ids = slow.map(({ runId }) => runId);
    const loss = await gate('--baseline', 'base.json', '--from', ...ids, '--json');
    expect(loss.code).toBe(5);
    const report = JSON.parse(loss.stdout) as GateReport & { readonly exitCode: number };
    expect(report).toMatchObject({
      verdict: 'regression',
      exitCode: 5,
      rows: [{ status: 'regression', runs: ids }, {}, {}],
    });
    expect((await gate('--baseline', 'base.json', '--from', ...ids, '--threshold', '15%')).code).toBe(0);
    expect((await gate('--baseline', 'base.json', '--from', ...ids, '--metric', 'peakGpuGiB')).code).toBe(0);
    const crash = named([launch({ outcome: 'crash', minute: 30 })]);
    place.store(crash);
    expect((await gate('--baseline', 'base.json', '--from', crash[0]!.runId)).code).toBe(4);
  });

  it('update refuses to make a reference worse, and does it when told', async () => {
    const before = readFileSync(file, 'utf8');
    const slow = named(session(0, [1200, 1203, 1198], { stack: 'c' }).map(shifted(40)));
    place.store(slow);
    const argv = ['update', '--baseline', 'base.json', '--from', ...slow.map(({ runId }) => runId)];
    const refused = await gate(...argv);
    expect(refused.code).toBe(5);
    expect(refused.stdout).toMatch(/! refused: modelTflopsPerGpu: .*100 TFLOPS -> 83\.3. TFLOPS \(-17%\)/);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(await gate(...argv, '--allow-looser')).toMatchObject({ code: 0 });
    expect(baseline().references[0]!.value).toBeCloseTo(83.3, 0);
    writeFileSync(file, before);
  });

  it('takes runs themselves for a baseline', async () => {
    const folder = join(place.home, 'runs');
    const end = await gate('--baseline', first[0]!.runId, '--from', first[0]!.runId, '--history', '0');
    expect(end.code).toBe(6);
    expect(end.stdout).toContain('within one run');
    expect((await gate('--baseline', join(folder, first[0]!.runId), '--from', 'last')).code).not.toBe(2);
  });

  it('writes what CI reads: JUnit, Markdown, annotations, the job summary, Code Quality', async () => {
    const summary = join(place.cwd, 'summary.md');
    writeFileSync(summary, 'before\n');
    const slow = named(session(0, [1150, 1151, 1149], { stack: 'd' }).map(shifted(45)));
    place.store(slow);
    const end = await place.run(
      ['--baseline', 'base.json', '--from', ...slow.map(({ runId }) => runId), '--junit', 'out/junit.xml', '--markdown', 'out/gate.md', '--github', '--gitlab'],
      { GITHUB_STEP_SUMMARY: summary, GITHUB_WORKSPACE: place.cwd },
    ); // prettier-ignore
    expect(end.code, end.stderr).toBe(5);
    expect(readFileSync(join(place.cwd, 'out', 'junit.xml'), 'utf8')).toContain('failures="1"');
    expect(readFileSync(join(place.cwd, 'out', 'gate.md'), 'utf8')).toContain('REGRESSION');
    expect(readFileSync(summary, 'utf8')).toMatch(/^before\n## superoffload gate: REGRESSION/);
    const quality = JSON.parse(
      readFileSync(join(place.cwd, 'gl-code-quality-report.json'), 'utf8'),
    ) as unknown[];
    expect(quality).toMatchObject([{ severity: 'critical', location: { path: 'base.json' } }]);
    const [stop, ...rest] = end.stdout.trimEnd().split('\n');
    const token = /^::stop-commands::(\S+)$/.exec(stop!)![1]!;
    const resumed = rest.indexOf(`::${token}::`);
    expect(rest.slice(resumed + 1)).toHaveLength(1);
    expect(rest.at(-1)).toMatch(/^::error file=base\.json,title=gate%3A regression%3A modelTflopsPerGpu/);
  });

  it('says all that is wrong with a baseline at once, each with its place', async () => {
    const good = baseline();
    const [reference] = good.references;
    writeFileSync(
      join(place.cwd, 'bad.json'),
      JSON.stringify({
        ...good,
        references: [
          { ...reference, lower: null, unit: 'GB' },
          { ...reference, upper: 0.1 },
        ],
        expectedFailures: [{ case: { mode: 'prism' }, reason: 'x', until: '2026-02-31' }],
      }),
    );
    const end = await gate('--baseline', 'bad.json');
    expect(end.code).toBe(2);
    expect(end.stderr).toContain('bad.json /references/0/lower: is null');
    expect(end.stderr).toContain('bad.json /references/0/unit: is "GB" (expected "TFLOPS")');
    expect(end.stderr).toContain('bad.json /references/1: is a second reference');
    expect(end.stderr).toContain('bad.json /expectedFailures/0/until: "2026-02-31" is no day');
    writeFileSync(
      join(place.cwd, 'bad.json'),
      JSON.stringify({ ...good, references: [{ ...reference, value: -1, lowr: 1 }] }),
    );
    const schema = await gate('--baseline', 'bad.json');
    expect(schema.code).toBe(2);
    expect(schema.stderr).toMatch(/references\/0\/lowr: is not a known key[^]*lower/);
    expect(schema.stderr).toMatch(/references\/0\/value: is -1/);
  });

  it.each([
    [[], 'nothing to compare with'],
    [['--baseline', 'nowhere.json'], 'there is no such file'],
    [['--baseline', 'no-such-tag'], 'no-such-tag'],
    [['--baseline', 'base.json', '--metric', 'speed'], 'No metric: speed'],
    [['--baseline', 'base.json', '--threshold', '0'], '--threshold: is 0'],
    [['--baseline', 'base.json', '--from', 'no-such-run'], 'no-such-run'],
    [['--ab', 'pip'], '--ab: has 1 side ('],
    [['--ab', 'a=1', 'b=2', '--baseline', 'x'], '--baseline: says nothing to --ab'],
    [['update', '--baseline', 'home'], 'is a folder'],
  ])('%j is refused with its reason', async (argv, message) => {
    const end = await gate(...argv);
    expect(end.code).toBe(2);
    expect(end.stderr).toContain(message);
  });

  it('a baseline of a newer version is refused as such', async () => {
    writeFileSync(join(place.cwd, 'new.json'), JSON.stringify({ schemaVersion: 9 }));
    const end = await gate('--baseline', 'new.json');
    expect(end).toMatchObject({ code: 2 });
    expect(end.stderr).toContain('schema version 9 is newer than 1');
  });
});

/** The same launches later in the session. */
function shifted(minutes: number) {
  return (run: RunRecord): RunRecord => {
    const move = (utc: string): string => new Date(Date.parse(utc) + minutes * 60_000).toISOString();
    return { ...run, startedUtc: move(run.startedUtc), endedUtc: move(run.endedUtc!) };
  };
}
