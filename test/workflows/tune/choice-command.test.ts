import { Command } from '@commander-js/extra-typings';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { declareCaseFlags, requestOf } from '../../../src/cli/flags/case.ts';
import { canonicalJson } from '../../../src/core/experiment/case-id.ts';
import type { ModeName } from '../../../src/core/experiment/case.ts';
import type { GridFlags } from '../../../src/core/experiment/grid-flags.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { runFiles } from '../../../src/core/results/run-files.ts';
import { throughputCommand } from '../../../src/workflows/tune/choice-command.ts';
import { planThroughput } from '../../../src/workflows/throughput/plan-throughput.ts';
import { workloadNames } from '../../../src/core/experiment/case.ts';
import { toyTuning, type ToyTuning } from './toy-tuning.ts';

let toy: ToyTuning;
beforeAll(async () => {
  toy = await toyTuning();
});
afterAll(() => {
  toy.remove();
});

/** What `throughput` plans for a command line, as a user gives it. */
async function planOfLine(line: string): Promise<RunPlan> {
  const words = line.split(' ').slice(2);
  const command = declareCaseFlags(new Command()).option('--workload <name>').exitOverride();
  command.parse(words, { from: 'user' });
  const options = command.opts();
  const workload = workloadNames.find((name) => name === options.workload);
  const request = requestOf({ ...options, workload }, { dryRun: true });
  const { plans } = await planThroughput(toy.context, request);
  expect(plans).toHaveLength(1);
  return plans[0]!;
}

const few: GridFlags = { models: ['2B'], chips: 1 };

describe('the command of a choice', () => {
  it.each<[string, GridFlags]>([
    ['every mode', few],
    ['several chips', { ...few, chips: 2, globalBatch: 16, dropout: 0.1, seed: 7 }],
    ['shared sequences', { ...few, chips: 2, sequenceParallel: 2, sequenceLength: 32_768 }],
    [
      'clipping and the number format',
      { ...few, dtype: 'fp16', deepspeedOverrides: ['gradient_clipping=1'] },
    ],
    [
      'what the user fixes',
      {
        ...few,
        ...{ steps: 12, attention: 'unfused', microBatch: 2, globalBatch: 8 },
        ...{ activationCheckpointing: true, activationOffload: true },
      },
    ],
    ['another workload', { ...few, workload: 'megatron', modes: ['zero_offload'] }],
  ])('runs the same case and the same JSON again: %s', async (_, flags) => {
    const plan = await toy.plan({ flags, system: 'h200', dryRun: true });
    const { candidates } = plan.sizes[0]!.tuning;
    const seen = new Set<string>();
    // Of each mode the first plain candidate, and the first with each setting of its own.
    const some = candidates.filter(({ subject }) => {
      const kind = `${subject.mode} ${Object.keys(subject.deepspeedOverrides).join()}`;
      const isNew = !seen.has(kind);
      seen.add(kind);
      return isNew;
    });
    expect(some.length).toBeGreaterThan(0);
    const modes = new Set<ModeName>();
    for (const candidate of some) {
      const config = plan.planOf(candidate).files[runFiles.deepspeedConfig]!;
      const file = join(toy.cwd, 'choice.json');
      writeFileSync(file, config);
      const asked = { ...plan.command, flags };
      const line = throughputCommand(candidate, file, plan.experiment.cuda, asked);
      const again = await planOfLine(line);
      // A key that the JSON holds is no --ds any more.
      const same = { ...candidate.subject, deepspeedOverrides: {} };
      expect(canonicalJson(again.case), line).toBe(canonicalJson(same));
      const text = (json: string): string => canonicalJson(JSON.parse(json));
      expect(text(again.files[runFiles.deepspeedConfig]!), line).toBe(text(config));
      modes.add(candidate.subject.mode);
    }
    if (flags === few)
      expect([...modes]).toEqual(
        expect.arrayContaining(['prism', 'prism_overlap', 'zero_2', 'zero_offload']),
      );
  });

  it('names where it ran: system, stack, hosts, queue, binding', async () => {
    const plan = await toy.plan({ flags: few, system: 'h200', dryRun: true });
    const [candidate] = plan.sizes[0]!.tuning.candidates;
    const line = throughputCommand(
      { ...candidate!, bindCores: true },
      'tuned/a b.json',
      plan.experiment.cuda,
      {
        ...plan.command,
        scheduling: { scheduler: 'slurm', slurm: { partition: 'gpu', time: '30' }, exclusiveHost: true },
        launcher: 'srun',
      },
    );
    expect(line).toContain("--config 'tuned/a b.json'");
    expect(line).toMatch(
      /--system h200 --stack toy --launcher srun --scheduler slurm --partition gpu --time 30 --exclusive-host --bind-cores$/,
    );
  });
});
