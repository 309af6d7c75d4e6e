import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FigureData } from '../../src/core/figures/figure-data.ts';
import type { DrawResult } from '../../src/workflows/figure/figure.ts';
import { createSandbox, type Sandbox } from './program.ts';
import { writeToyExperiment, writeToyStack } from './toy-stack.ts';

const recordsFile = join(import.meta.dirname, '../fixtures/records/h200.ndjson');

const resultOf = (stdout: string): DrawResult => JSON.parse(stdout) as DrawResult;
const stateOf = ({ figures }: DrawResult): string[] =>
  figures.flatMap(({ data }) => data.marks.map(({ series, x, state }) => `${series} ${x} ${state}`));

/** A folder whose throughput experiment has two sizes that a shell script trains in no time. */
async function toyBox(): Promise<Sandbox> {
  const box = createSandbox();
  await writeToyStack(box.home);
  const toy = writeToyExperiment(box.cwd, 2);
  const text = readFileSync(toy, 'utf8').replace('"name":"toy"', '"name":"throughput"');
  writeFileSync(join(box.cwd, 'experiment', 'throughput.json'), text);
  return box;
}

describe('superoffload figure', () => {
  it('draws all four figures of real runs, and names the files', async () => {
    const box = createSandbox();
    const end = await box.run(['figure', 'all', '--from', recordsFile, '--out', 'pictures']);
    expect(end.code, end.stderr).toBe(0);
    expect(end.stdout).toMatch(
      /^Figure 10 on 1 x NVIDIA H200: \d+ of 28 cells run, 28 predicted, 35 of the paper$/m,
    );
    expect(end.stdout).toMatch(/^ +pictures\/figure13-1x-nvidia-h200\.svg$/m);
    const files = readdirSync(join(box.cwd, 'pictures'));
    for (const name of ['10-1x', '11-2x', '12-2x', '13-1x']) {
      for (const ending of ['svg', 'png', 'json', 'vl.json'])
        expect(files).toContain(`figure${name}-nvidia-h200.${ending}`);
    }
    expect(end.stderr).toMatch(/ok +draw figure 12, 2 x NVIDIA H200/);
  });

  it('without a run, a GPU or a system draws the paper and its prediction, and says how to make runs', async () => {
    const box = createSandbox();
    const end = await box.run(['figure', '10', '--formats', 'md'], {
      env: { CUDA_VISIBLE_DEVICES: '', PATH: '/usr/bin:/bin' },
    });
    expect(end.code, end.stderr).toBe(0);
    expect(end.stdout).toMatch(/nothing measured, 28 predicted, 35 of the paper/);
    expect(end.stdout).toMatch(
      /to make runs there: superoffload campaign run throughput --filter chips=1 --system gh200/,
    );
    const none = await box.run(['figure', '10', '--no-paper', '--no-predicted']);
    expect(none.code).toBe(3);
    expect(none.stderr).toMatch(/there is nothing to draw: no run.*\n.*superoffload figure 10 --run/);
  });

  it('--run runs what is missing once, as a campaign, then draws', async () => {
    const box = await toyBox();
    const argv = ['figure', '10', '--run', '--stack', 'toy', '--formats', 'json', '--json'];
    const first = await box.run(argv);
    expect(first.code, first.stderr).toBe(0);
    const result = resultOf(first.stdout);
    expect(result.runs).toMatchObject([{ figure: 10, chips: 1, campaign: 'figure10-1chip', exitCode: 0 }]);
    expect(result.runs[0]?.missing).toHaveLength(2);
    expect(stateOf(result)).toEqual(['zero_offload toy0 value', 'zero_offload toy1 value']);
    expect(result.figures[0]?.data).toMatchObject({ functional: true, differences: [] });
    const again = resultOf((await box.run(argv)).stdout);
    expect(again.runs[0]?.missing).toEqual([]);
    expect(readdirSync(join(box.home, 'runs'))).toHaveLength(2);
    // It can be gone on with as any other campaign.
    const resumed = await box.run(['campaign', 'run', 'figure10-1chip', '--resume', '--json']);
    expect(resumed.code, resumed.stderr).toBe(0);
    const [file = ''] = again.figures[0]?.files ?? [];
    expect((JSON.parse(readFileSync(file, 'utf8')) as FigureData).marks).toEqual(
      again.figures[0]?.data.marks,
    );
  });

  it('--run goes on where an earlier call was, and takes over what other commands measured', async () => {
    const box = await toyBox();
    const toy = ['--stack', 'toy'];
    const one = await box.run(['throughput', '--model', 'toy0', ...toy]);
    expect(one.code, one.stderr).toBe(0);
    const dry = await box.run(['figure', '10', '--run', ...toy, '--dry-run', '--json']);
    expect(resultOf(dry.stdout).runs[0]?.missing).toEqual([expect.stringContaining('toy1')]);
    expect(readdirSync(join(box.home, 'runs'))).toHaveLength(1);
    expect(existsSync(join(box.cwd, 'figures'))).toBe(false);
    const end = await box.run(['figure', '10', '--run', ...toy, '--formats', 'json']);
    expect(end.code, end.stderr).toBe(0);
    expect(end.stdout).toMatch(/campaign figure10-1chip: ran\n +.*toy1/);
    expect(readdirSync(join(box.home, 'runs'))).toHaveLength(2);
  });

  it.each<[argv: string[], code: number, message: RegExp]>([
    [['figure'], 2, /missing required argument 'figure'/],
    [
      ['figure', '14'],
      2,
      /"14" is no figure that can be drawn \(expected 10, 11, 12, 13, all, ablation or timeline\)/,
    ],
    [['figure', '10', '--system', 'gh2000'], 2, /--system: there is no system "gh2000" \(expected gh200\)/],
    [['figure', '10', '--formats', 'pdf'], 2, /--formats: there is no format "pdf"/],
    [['figure', '10', '--from', 'nowhere'], 2, /nowhere/],
    [['figure', '10', '--out', '/proc/x'], 3, /--out \/proc\/x: it is not there and cannot be made/],
    [
      ['figure', '10', '--model', '2B', '--steps', '4'],
      2,
      /--model: says nothing without --run.*\n.*--steps: says nothing/,
    ],
    [['figure', '10', '--run', '--system', 'gh200', '--stack', 'none'], 3, /system gh200 has GPUs|stack/],
  ])('%j ends with %i', async (argv, code, message) => {
    const end = await createSandbox().run(argv);
    expect(end.stderr).toMatch(message);
    expect(end.code).toBe(code);
    expect(end.stdout).toBe('');
  });
});
