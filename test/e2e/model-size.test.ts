import { mkdirSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedHome } from '../real-stack.ts';
import { createSandbox, expectNoStack, program, startProgram } from './program.ts';

const box = createSandbox();
const cgroup = '/sys/fs/cgroup/memory/superoffload-test-model-size';
const limitMiB = 2800;

/** Sizes that need about 1.6, 2.3 and 3.6 GiB with the optimizer on the CPU. */
const sizes = { '30M': 10, '60M': 20, '120M': 40 };

function writeExperiment(): void {
  const entry = (layers: number) => ({ layers, hidden: 512, heads: 8, vocabulary: 512, source: 'this test' });
  const models = Object.fromEntries(Object.entries(sizes).map(([name, layers]) => [name, entry(layers)]));
  const section = {
    modes: ['zero_offload'],
    byChips: { 1: { globalBatch: 1, models: Object.keys(sizes) } },
    ...{ sequenceLength: 16, steps: 3, dtype: 'bf16', activationCheckpointing: true },
    ...{ gradientClipping: 0, dropout: 0, seed: 1 },
  };
  const experiment = { name: 'model_size', title: 'test', cuda: section, cpu: section, sources: {} };
  mkdirSync(join(box.cwd, 'experiment'));
  writeFileSync(join(box.cwd, 'experiment', 'model.json'), JSON.stringify({ models }));
  writeFileSync(join(box.cwd, 'experiment', 'model_size.json'), JSON.stringify(experiment));
}

interface Report {
  readonly rows: readonly {
    readonly largestRan: {
      readonly name: string;
      readonly hostGiB: number;
      readonly hostCapacityGiB: number;
    };
    readonly smallestFailed: { readonly name: string; readonly verdict: string; readonly reason: string };
    readonly confirmed: boolean;
    readonly launches: number;
    readonly stored: number;
  }[];
}

describe('superoffload model-size with a real wall', () => {
  it(
    'finds the largest model that the host holds, in 3 launches, and remembers',
    { timeout: 600_000 },
    async (context) => {
      try {
        mkdirSync(cgroup, { recursive: true });
        writeFileSync(join(cgroup, 'memory.limit_in_bytes'), String(limitMiB * 2 ** 20));
      } catch {
        context.skip('a memory cgroup (v1) with a limit cannot be made here');
      }
      writeExperiment();
      symlinkSync(join(sharedHome, 'stacks'), join(box.home, 'stacks'));
      const search = async (): Promise<Report['rows'][number] | undefined> => {
        const argv = [process.execPath, program, 'model-size', '--chips', '1', '--json'];
        const { code, stdout, stderr } = await startProgram(
          'sh',
          ['-c', `echo $$ > ${cgroup}/cgroup.procs && exec "$@"`, 'sh', ...argv],
          { cwd: box.cwd, env: { SUPEROFFLOAD_HOME: box.home } },
        ).ended;
        expectNoStack({ stdout, stderr });
        expect(code, stderr).toBe(0);
        return (JSON.parse(stdout) as Report).rows[0];
      };
      try {
        const row = await search();
        expect(row).toMatchObject({
          largestRan: { name: '60M', hostCapacityGiB: limitMiB / 1024 },
          smallestFailed: { name: '120M', verdict: 'host' },
          confirmed: true,
          launches: 3,
        });
        expect(row?.smallestFailed.reason).toContain("kernel's count of OOM kills");
        expect(row?.largestRan.hostGiB).toBeGreaterThan(1);
        expect(await search()).toMatchObject({ launches: 0, stored: 3, largestRan: { name: '60M' } });
      } finally {
        rmdirSync(cgroup);
      }
    },
  );
});
