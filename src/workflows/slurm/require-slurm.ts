import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  pingController,
  showPartitions,
  testJob,
  type Answer,
} from '../../adapters/schedulers/slurm/tools.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { directives } from '../../core/slurm/job-script.ts';
import { partitionFault, type Partition } from '../../core/slurm/partition.ts';
import { parseRefusal } from '../../core/slurm/parse-sbatch.ts';
import { submitEnvironment } from '../../core/slurm/environment.ts';
import { slurmPlanOf, type SlurmPlan } from '../../core/slurm/slurm-plan.ts';
import { faultsError, SuperOffloadError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { asTask } from '../task.ts';
import { accessOf, firstLine } from './cluster.ts';
import { allocationNodes } from './node-pool.ts';
import { noSlurm } from './submit.ts';

/**
 * Asks Slurm, before the first run is given to it, whether it would take them: each different set of options once
 * (`sbatch --test-only`, which uses up a job id but starts nothing). Without this a job for a node that does not exist
 * is accepted and waits for ever.
 * @returns what is worth a note
 * @throws SuperOffloadError 'usage' for what the partition will never give, 'environment' where there is no Slurm, or it
 *   would not take a run for another reason: every reason at once.
 */
export async function requireSlurm(context: Context, plans: readonly RunPlan[]): Promise<string[]> {
  const slurmPlans = plans.map(slurmPlanOf);
  const [first] = slurmPlans;
  if (first === undefined) return [];
  return asTask(context, { id: 'slurm', title: 'ask Slurm whether it would take the runs' }, async () => {
    const cluster = first.schedule.options['clusters'] ?? null;
    const isSilent = await requireController(context, cluster);
    if (isSilent !== null) return [isSilent];
    await requireAllocations(context, slurmPlans);
    await requireAccepted(context, slurmPlans);
    return [];
  });
}

/** @returns a note where the controller is away: runs are submitted when it is back. */
async function requireController(context: Context, cluster: string | null): Promise<string | null> {
  const answer = await pingController(accessOf(context, cluster));
  if (answer.ok) return null;
  if (answer.isMissing) throw noSlurm('scontrol');
  if (answer.isUnreachable || /DOWN/.test(answer.said))
    return `Slurm's controller does not answer (${firstLine(answer.said)}): what it would refuse is not known yet`;
  throw new SuperOffloadError({
    code: 'environment',
    message: `Slurm cannot be asked: ${firstLine(answer.said)}`,
    hint: 'See whether `scontrol ping` and `sinfo` work here.',
  });
}

async function requireAllocations(context: Context, plans: readonly SlurmPlan[]): Promise<void> {
  const needed = new Map<string, number>();
  for (const { schedule } of plans) {
    const { allocation, layout } = schedule;
    if (allocation !== null) needed.set(allocation, Math.max(needed.get(allocation) ?? 0, layout.nodes));
  }
  for (const [allocation, nodes] of needed) {
    const has = await allocationNodes(context, allocation);
    if (has.length >= nodes) continue;
    const message = `allocation ${allocation} has ${has.length} node(s), the runs need ${nodes}`;
    throw new SuperOffloadError({
      code: 'environment',
      message,
      hint: 'Ask for a larger allocation, or for fewer --chips.',
    });
  }
}

async function requireAccepted(context: Context, plans: readonly SlurmPlan[]): Promise<void> {
  const jobs = plans.filter(({ schedule }) => schedule.allocation === null);
  const distinct = new Map(jobs.map((plan) => [JSON.stringify(plan.schedule.options), plan]));
  if (distinct.size === 0) return;
  const folder = await mkdtemp(join(tmpdir(), 'superoffload-slurm-'));
  try {
    const partitions = await partitionsOf(context, plans);
    const faults: Fault[] = [];
    let isKnown = true;
    for (const plan of distinct.values()) {
      // The test takes a limit that is over the partition's (22.05), and says "not available" of too many nodes.
      const known = partitionFault(plan.schedule, partitions);
      const answer = known === null ? await testOne(context, folder, plan) : null;
      if (known !== null) faults.push(known);
      else if (answer?.ok === false) {
        isKnown = false;
        faults.push(faultOf(plan, answer));
      }
    }
    if (faults.length > 0) throw refusalError(faults, isKnown ? 'usage' : 'environment');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function testOne(context: Context, folder: string, { schedule }: SlurmPlan): Promise<Answer<null>> {
  const script = join(folder, runFiles.jobScript);
  const lines = directives('superoffload-test', runFiles.log, schedule.options);
  await writeFile(script, ['#!/bin/bash', ...lines, 'exit 0', ''].join('\n'));
  return testJob(
    {
      script,
      folder,
      output: join(folder, runFiles.log),
      env: submitEnvironment(context.env, schedule.options),
      cluster: schedule.options['clusters'] ?? null,
    },
    context.signal,
  );
}

async function partitionsOf(context: Context, plans: readonly SlurmPlan[]): Promise<Partition[]> {
  const cluster = plans[0]?.schedule.options['clusters'] ?? null;
  const answer = await showPartitions(accessOf(context, cluster));
  return answer.ok ? answer.value : [];
}

/** Cases of one kind are refused for one reason: it is said once. */
function refusalError(faults: readonly Fault[], code: 'usage' | 'environment'): SuperOffloadError {
  const different = new Map(faults.map((fault) => [`${fault.place} ${fault.problem}`, fault]));
  return faultsError(code, [...different.values()], 'See: sinfo, and scontrol show partition.');
}

function faultOf(plan: SlurmPlan, answer: Extract<Answer<null>, { ok: false }>): Fault {
  if (answer.isMissing) throw noSlurm('sbatch');
  const { nodes } = plan.schedule.layout;
  const { problem, expected } = parseRefusal(answer.said);
  const place = `Slurm, ${nodes} node${nodes === 1 ? '' : 's'} (${plan.title})`;
  return { place, problem, ...(expected === undefined ? {} : { expected }) };
}
