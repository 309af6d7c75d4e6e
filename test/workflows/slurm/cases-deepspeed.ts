import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadStack } from '../../../src/adapters/stack/store.ts';
import { buildConfig } from '../../../src/core/deepspeed/build-config.ts';
import type { LauncherName } from '../../../src/core/experiment/case.ts';
import { slurmSchedule } from '../../../src/core/slurm/schedule.ts';
import { scriptEnvironment } from '../../../src/core/stack/environment.ts';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { sampleCase } from '../../core/sample-case.ts';
import { samplePlan, sampleSystem } from '../../core/sample-plan.ts';
import { sharedHome } from '../../real-stack.ts';
import { logOf, submitted, toolAt } from './slurm-runs.ts';

const model = { name: 'tiny', layers: 2, hidden: 64, heads: 4, paddedVocabulary: 512 };

/** The built-in trainer on the real DeepSpeed, one rank a node. */
export function deepspeedCases(the: () => SlurmCluster): void {
  it.each<[LauncherName, number]>([
    ['torchrun', 2],
    ['deepspeed', 2],
    ['srun', 4],
  ])('trains by %s on %i nodes', { timeout: 240_000 }, async (launcher, nodes) => {
    const tool = toolAt(the());
    const { outcome, world, lastIteration, log } = await train(tool, launcher, nodes);
    expect(outcome, log).toMatchObject({ class: 'ok' });
    expect(world).toBe(nodes);
    expect(lastIteration).toBe(2);
  });
}

async function train(tool: ReturnType<typeof toolAt>, launcher: LauncherName, nodes: number) {
  const lock = (await loadStack(sharedHome, 'pip'))!;
  const system = sampleSystem({ accelerator: 'cpu', link: 'none', chipsPerNode: 1, cores: 1, hostGiB: 2 });
  const change = { chips: nodes, model, microBatch: 1, globalBatch: nodes, sequenceLength: 64, steps: 2 };
  const layout = { nodes, ranksPerNode: 1 };
  const flags = { slurm: { time: '10' } };
  const made = slurmSchedule({ system, layout, flags, launcher, exclusiveHost: false });
  if (!made.ok) throw new Error(JSON.stringify(made.faults));
  const plan = samplePlan(change, {
    system,
    launcher,
    schedule: made.schedule,
    python: lock.python.path,
    stackEnvironment: scriptEnvironment(lock, 'cpu', process.env['PATH']),
    trainer: join(import.meta.dirname, '..', '..', '..', 'experiment', 'trainer'),
    deepspeedConfig: buildConfig(sampleCase(change), { deepspeedVersion: '0.19.8', superOffload: 'key' }),
    maxError: null,
  });
  const { folder, record } = await submitted(tool, plan);
  const { outcome, lastIteration } = await record;
  const log = logOf(folder);
  return { outcome, lastIteration, log, world: Number(/world[ _]size[=: ]+(\d+)/.exec(log)?.[1]) };
}
