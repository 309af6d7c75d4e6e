/**
 * Submits one run, says so, and follows it until it is killed: `submitting-child.ts HOME SCRIPT [ALLOCATION]`. A
 * SIGTERM is as a second signal to superoffload: it ends at once.
 */
import { slurmPlan, submitted, toolAt } from './slurm-runs.ts';

const [, , home = '', script = '', allocation = null] = process.argv;
const nowhere = { env: process.env } as Parameters<typeof toolAt>[0];
const force = new AbortController();
process.on('SIGTERM', () => {
  force.abort();
  process.exit();
});
const tool = toolAt(nowhere, { home, env: process.env, force: force.signal });
const { folder, record } = await submitted(tool, slurmPlan(script, { allocation }));
process.stdout.write(`${folder.runId}\n`);
await record;
