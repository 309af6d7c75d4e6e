import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runFiles } from '../../../src/core/results/run-files.ts';
import { parseJobJournal } from '../../../src/core/slurm/job-journal.ts';
import { prepareRun } from '../../../src/workflows/runs/run-case.ts';
import { SlurmRun } from '../../../src/workflows/runs/slurm-run.ts';
import { submitArray } from '../../../src/workflows/slurm/array.ts';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { finish, steps } from '../../e2e/shell-workloads.ts';
import { following, jobIdOf, journalOf, logOf, slurmPlan, toolAt, type Tool } from './slurm-runs.ts';

async function prepared(tool: Tool, scripts: readonly string[]) {
  const runs = [];
  for (const script of scripts) {
    const plan = slurmPlan(script);
    runs.push({ plan, folder: await prepareRun(tool.context, plan, null) });
  }
  return runs;
}

async function attached(tool: Tool, { plan, folder }: Awaited<ReturnType<typeof prepared>>[number]) {
  const run = await SlurmRun.attach(tool.context, folder, plan, journalOf(tool, folder));
  if (run === null) throw new Error('not submitted');
  return following(tool, folder, plan, run).record;
}

/** Many runs in one job array. */
export function arrayCases(the: () => SlurmCluster): void {
  it('runs as tasks of one array, no more at once than the limit', async () => {
    const tool = toolAt(the());
    const scripts = [0, 1, 2, 3].map((task) => `echo task ${task}; ${steps({ to: 2 })}; sleep 1; ${finish}`);
    const runs = await prepared(tool, [...scripts, 'exit 5']);
    await submitArray(tool.context, runs, { limit: 2 });
    const ids = runs.map(({ folder }) => jobIdOf(tool, folder));
    expect(new Set(ids.map((id) => id.replace(/_.*/, ''))).size).toBe(1);
    const records = await Promise.all(runs.map((run) => attached(tool, run)));
    expect(records.map(({ outcome }) => outcome.class)).toEqual(['ok', 'ok', 'ok', 'ok', 'crash']);
    expect(records[4]?.exit.exitCode).toBe(5);
    for (const [task, { folder }] of runs.slice(0, 4).entries())
      expect(logOf(folder)).toContain(`task ${task}\n`);
    expect(mostAtOnce(runs.map(({ folder }) => folder.path))).toBeLessThanOrEqual(2);
  });

  it('cancels one task and leaves the others; what Slurm says of it is in its own log', async () => {
    const tool = toolAt(the());
    const [long, short] = await prepared(tool, ['echo begun; sleep 300', `${steps({ to: 2 })}; ${finish}`]);
    await submitArray(tool.context, [long!, short!], { limit: null });
    const ended = attached(tool, long!);
    expect((await attached(tool, short!)).outcome.class).toBe('ok');
    await the().tool('scancel', jobIdOf(tool, long!.folder));
    expect((await ended).outcome.class).toBe('cancelled');
    expect(logOf(long!.folder)).toMatch(/begun[^]*CANCELLED AT/);
  });
}

/** The largest number of jobs that ran at the same moment, by their own journals (whole seconds). */
function mostAtOnce(folders: readonly string[]): number {
  const lives = folders.map((folder) => {
    const { startUtc, endUtc } = parseJobJournal(readFileSync(join(folder, runFiles.jobEvents), 'utf8'));
    return { from: Date.parse(startUtc ?? ''), to: Date.parse(endUtc ?? '') };
  });
  return Math.max(
    ...lives.map((life) => lives.filter(({ from, to }) => from <= life.from && life.from < to).length),
  );
}
