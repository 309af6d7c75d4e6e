import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { askAccounting, askController, showJob } from '../../../src/adapters/schedulers/slurm/tools.ts';
import { verdictOf } from '../../../src/core/slurm/states.ts';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { steps } from '../../e2e/shell-workloads.ts';
import { logOf, slurmPlan, submitted, toolAt, until } from './slurm-runs.ts';

/** A job has 64 MiB, by a memory cgroup of its own, and its last command takes 256: a line that never ends. */
const words = ['mem=64'];
const eat = 'head -c 256M /dev/zero | tail -n 1 >/dev/null';

/** The memory of a job runs out, really: the kernel kills in the cgroup that Slurm made. */
export function memoryCases(the: () => SlurmCluster): void {
  const isMissing = () => !existsSync(join(the().folder, 'etc', 'cgroup.conf'));
  const why = 'a memory cgroup (v1) cannot be made here';

  it('is host_oom where the step ran out of memory, though Slurm says FAILED of its job', async (context) => {
    if (isMissing()) context.skip(why);
    const tool = toolAt(the());
    const script = `${steps({ to: 2 })}; [ $SUPEROFFLOAD_NODE_RANK = 0 ] && exec sleep 60; ${eat}; exit 1`;
    const plan = slurmPlan(script, { words, layout: { nodes: 2, ranksPerNode: 1 } });
    const { folder, record } = await submitted(tool, plan);
    const { outcome, exit } = await record;
    expect(outcome.class, logOf(folder)).toBe('host_oom');
    expect(outcome.reason).toContain("kernel's count of OOM kills");
    expect(exit.oomKills).toBe(1);
    expect(logOf(folder)).toMatch(/oom-kill event/);
  });

  it('reads OUT_OF_MEMORY as host_oom where the script itself ran out, from all three tools', async (context) => {
    if (isMissing()) context.skip(why);
    const jobId =
      (await the().tool('sbatch', '--parsable', '--output=/dev/null', ...words.map((word) => `--${word}`), `--wrap=${eat}`)) // prettier-ignore
        .trim();
    const access = { env: the().env, cluster: null };
    const ofController = async () => {
      const answer = await askController(access, [jobId]);
      return answer.ok ? answer.value[0] : undefined;
    };
    await until('it has ended', async () => (await ofController())?.state === 'OUT_OF_MEMORY');
    const facts = (await ofController())!;
    expect(facts).toMatchObject({ reason: 'OutOfMemory', exit: { status: 0, signal: 125 } });
    expect(verdictOf(facts, true)).toEqual({
      class: 'host_oom',
      reason: `Slurm job ${jobId}: OUT_OF_MEMORY (OutOfMemory)`,
    });
    expect(await showJob(access, jobId)).toMatchObject({ value: { state: 'OUT_OF_MEMORY' } });
    await until('sacct agrees', async () => {
      const answer = await askAccounting(access, [jobId]);
      return answer.ok && answer.value[0]?.state === 'OUT_OF_MEMORY';
    });
  });
}
