import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LauncherName } from '../../../src/core/experiment/case.ts';
import { planThroughput } from '../../../src/workflows/throughput/plan-throughput.ts';
import { runCase } from '../../../src/workflows/runs/run-case.ts';
import { startSshHosts, type SshHosts } from '../../clusters/ssh.ts';
import { sharedHome } from '../../real-stack.ts';
import { placeOf } from './hosts-place.ts';

const home = mkdtempSync(join(tmpdir(), 'hosts-deepspeed-'));
let cluster: SshHosts | string = 'not started';

beforeAll(async () => {
  mkdirSync(home, { recursive: true });
  symlinkSync(join(sharedHome, 'stacks'), join(home, 'stacks'));
  cluster = await startSshHosts(4);
}, 600_000);

afterAll(() => {
  if (typeof cluster !== 'string') cluster.stop();
  rmSync(home, { recursive: true });
});

const cases: readonly (readonly [number, LauncherName])[] = [
  [2, 'torchrun'],
  [4, 'deepspeed'],
];

describe('a real DeepSpeed run on CPU ranks', { timeout: 600_000 }, () => {
  for (const [chips, launcher] of cases) {
    it(`over ${chips} hosts by ${launcher}`, async ({ skip }) => {
      if (typeof cluster === 'string') return skip(cluster);
      const { context } = placeOf(cluster, home);
      const hostfile = join(home, `hosts${chips}`);
      writeFileSync(
        hostfile,
        `# ${chips} hosts\r\n${cluster.names.map((name) => `${name}\tslots=1\r\n`).join('')}`,
      );
      const { plans } = await planThroughput(context, {
        flags: { chips, modes: ['zero_2'], models: ['tiny'], sequenceLength: 64, microBatch: 1, steps: 3 },
        ...{ system: 'cpu', stack: 'pip', launcher, bindCores: false, scheduling: { hostfile } },
        ...{ maxError: null, limits: {}, configFile: null, dryRun: false, allowDrift: true, command: null },
      });
      expect(plans).toHaveLength(1);
      const record = await runCase(context, plans[0]!, { index: 1, total: 1 });
      const log = readFileSync(join(home, 'runs', record.runId, 'output.log'), 'utf8');
      expect(record.outcome, log).toMatchObject({ class: 'ok' });
      expect(record).toMatchObject({ lastIteration: 3, exit: { exitCode: 0 } });
      expect(log).toContain(`world size: ${chips} `);
      expect(log.includes('launch.py:')).toBe(launcher === 'deepspeed');
      const nodes = Array.from({ length: chips }, (_, node) =>
        readFileSync(join(home, 'runs', record.runId, 'nodes', `${node}.ndjson`), 'utf8'),
      );
      expect(nodes.filter((text) => text.includes('"exitCode":0'))).toHaveLength(chips);
    });
  }
});
