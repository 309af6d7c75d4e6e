import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GateReport } from '../../../src/core/gate/report.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { until } from '../../e2e/program.ts';
import { writeToyStack, type ToyStack } from '../../e2e/toy-stack.ts';
import { gatePlace } from './gate-place.ts';

/** A stack that is a shell script: real processes, and every step takes the same time. */
const place = gatePlace();
let toy: ToyStack;

const flags = [
  '--stack',
  'toy',
  '--mode',
  'zero_offload',
  '--model',
  '1x64',
  '--steps',
  '8',
  '--launcher',
  'python',
  '--min-pairs',
  '2',
];
const ab = (base: string, head: string, ...more: string[]) => ['--ab', base, head, ...flags, ...more];
const runs = (): RunRecord[] =>
  readdirSync(join(place.home, 'runs'))
    .sort()
    .map((id) => join(place.home, 'runs', id, 'record.json'))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as RunRecord);

beforeAll(async () => {
  toy = await writeToyStack(place.home);
});

describe('gate --ab', { timeout: 600_000 }, () => {
  it('--dry-run shows both sides, and starts and writes nothing', async () => {
    const end = await place.run(ab('env.SIDE=a', 'env.SIDE=b', '--dry-run'));
    expect(end.code, end.stderr).toBe(0);
    expect(end.stdout).toContain('A B B A');
    expect(end.stdout).toMatch(/SIDE=a[^]*SIDE=b/);
    expect(toy.launches()).toEqual([]);
    expect(existsSync(join(place.home, 'gate'))).toBe(false);
  });

  it('runs A B B A, stops at precision, and passes what is equal', async () => {
    const end = await place.run(ab('env.SIDE=a', 'env.SIDE=b', '--json'));
    expect(end.code, end.stderr).toBe(0);
    const report = JSON.parse(end.stdout) as GateReport;
    expect(report).toMatchObject({ verdict: 'pass', rows: [{ status: 'pass', ratio: 1, launches: 4 }] });
    expect(report.notes.join()).toContain('2 pairs in turns');
    expect(toy.launches()).toHaveLength(4);
    const sides = runs().map(({ runId, experiment }) => {
      expect(experiment).toBe('gate-ab');
      return /SIDE='?([ab])/.exec(readFileSync(join(place.home, 'runs', runId, 'run.sh'), 'utf8'))?.[1];
    });
    // Runs of one second are in no order by their names.
    expect(sides.sort()).toEqual(['a', 'a', 'b', 'b']);
  });

  it('ends at the first failure with 4, and says which side it was', async () => {
    toy.failOnce(64, 'echo boom >&2; exit 3');
    const end = await place.run(ab('env.SIDE=c', 'env.SIDE=d', '--json'));
    expect(end.code).toBe(4);
    const report = JSON.parse(end.stdout) as GateReport;
    expect(report.rows).toMatchObject([
      { status: 'failed', reason: expect.stringContaining('A (base): ') as string },
    ]);
    expect(toy.launches()).toHaveLength(5);
  });

  it('is gone on with after a kill: what was run is not run again', async () => {
    const before = toy.launches().length;
    toy.setPause(0.15);
    const argv = ab('env.SIDE=e', 'env.SIDE=f');
    const killed = place.start(argv);
    await until('the third launch began', () => toy.launches().length === before + 3, 40_000);
    killed.child.kill('SIGKILL');
    await killed.ended;
    // The run outlives the tool, as it should; beside it nothing can be measured.
    const refused = await place.run(argv);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('still runs')]);
    await until('its last run ended', toyEnded, 20_000);
    toy.setPause(0);
    const end = await place.run([...argv, '--json']);
    expect(end.code, end.stderr).toBe(0);
    expect(end.stderr).toContain('going on with 3 launches');
    expect((JSON.parse(end.stdout) as GateReport).rows[0]!.launches).toBe(4);
    expect(toy.launches()).toHaveLength(before + 4);
    // Ended, the same command begins anew.
    await place.run(argv);
    expect(toy.launches()).toHaveLength(before + 8);
  });

  it('Ctrl-C ends the run and keeps what is there', async () => {
    const before = toy.launches().length;
    toy.setPause(0.3);
    const running = place.start(ab('env.SIDE=g', 'env.SIDE=h'));
    await until('the second launch began', () => toy.launches().length === before + 2, 40_000);
    running.child.kill('SIGINT');
    const end = await running.ended;
    expect(end.code).toBe(130);
    expect(end.stderr).toMatch(/launches are finished; all are kept/);
    toy.setPause(0);
    const again = await place.run(ab('env.SIDE=g', 'env.SIDE=h'));
    expect(again.code, again.stderr).toBe(0);
  });

  it.each([
    ['sides that are nothing', ['nothing', 'env.A=1'], '"nothing" is neither an installed stack nor a file'],
    ['a setting that is none', ['env.A=1', 'micro-bach=3'], 'did you mean'],
    ['several cases', ['env.A=1', 'env.A=2', '--mode', 'zero_infinity'], 'is 2 cases'],
  ] as const)('refuses %s', async (_, argv, message) => {
    const end = await place.run(['--ab', argv[0], argv[1], ...argv.slice(2), ...flags]);
    expect(end.code).toBe(2);
    expect(end.stderr).toContain(message);
  });
});

/** Whether the log of the newest run has its end line. */
function toyEnded(): boolean {
  const newest = readdirSync(join(place.home, 'runs'))
    .map((id) => join(place.home, 'runs', id, 'output.log'))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'));
  return newest.every((log) => log.includes('training finished') || log.includes('boom'));
}
