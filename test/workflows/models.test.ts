import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { capture } from '../../src/adapters/exec.ts';
import { modeNames } from '../../src/core/experiment/case.ts';
import { listModels } from '../../src/workflows/models.ts';

const packageRoot = new URL('../../', import.meta.url).pathname;
const cwd = mkdtempSync(join(tmpdir(), 'superoffload models '));
afterAll(() => {
  rmSync(cwd, { recursive: true, force: true });
});

describe('superoffload models', () => {
  it('lists every size, smallest first, with counted parameters and a need for every mode', () => {
    const models = listModels({ cwd, packageRoot }, { sequenceLength: 1024, chips: 1, microBatch: 8 });
    const counts = models.map((model) => model.parameters);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(models.find((model) => model.name === '2B')?.parameters).toBe(2_119_716_864);
    expect(models.find((model) => model.name === '200B-artifact')?.parameters).toBeGreaterThan(290e9);
    for (const { needs } of models) {
      expect(Object.keys(needs).sort()).toEqual([...modeNames].sort());
      expect(Object.values(needs).every(({ gpuGiB, hostGiB }) => gpuGiB > 0 && hostGiB > 0)).toBe(true);
    }
  });

  it("marks a size that is not the package's, and says whose it is", async () => {
    const mine = join(cwd, 'mine');
    mkdirSync(join(mine, 'experiment'), { recursive: true });
    const models = { '2B': { layers: 41, hidden: 2048, source: 'mine' } };
    writeFileSync(join(mine, 'experiment', 'model.json'), JSON.stringify({ models }));
    const command = [
      process.execPath,
      '--import',
      import.meta.resolve('tsx'),
      join(packageRoot, 'src/main.ts'),
    ];
    const { stdout } = await capture([...command, 'models'], { env: { ...process.env }, cwd: mine });
    expect(stdout).toMatch(/^2B\* +2\.170B/m);
    expect(stdout).toMatch(/^1B +/m);
    expect(stdout).toContain(`* from ${mine}/experiment/model.json, which stands before the package's`);
  });

  it('needs less of a GPU in zero_3 on more chips', () => {
    const gpuGiB = (chips: number): number | undefined =>
      listModels({ cwd, packageRoot }, { sequenceLength: 1024, chips, microBatch: 1 }).find(
        (model) => model.name === '10B',
      )?.needs.zero_3.gpuGiB;
    expect(gpuGiB(4)).toBeLessThan(gpuGiB(1) ?? 0);
  });

  it('prints a table, a memory table or JSON to stdout only', async () => {
    const program = async (...flags: string[]): ReturnType<typeof capture> =>
      capture(
        [
          process.execPath,
          '--import',
          import.meta.resolve('tsx'),
          join(packageRoot, 'src/main.ts'),
          'models',
          ...flags,
        ],
        { env: { ...process.env }, cwd, timeoutMs: 25_000 },
      );
    const table = await program();
    expect(table).toMatchObject({ exitCode: 0, stderr: '' });
    expect(table.stdout).toMatch(/^2B +2\.120B +40 +2048 +32 +50432 +paper, Table 4/m);
    expect((await program('--memory')).stdout).toMatch(/^2B +2\.120B( +\d+\.\d \+ \d+\.\d){5}$/m);
    const json = JSON.parse((await program('--json', '--chips', '4')).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({ schemaVersion: 1, chips: 4, microBatch: 8, sequenceLength: 1024 });
  });
});
