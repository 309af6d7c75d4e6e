/** Submits one run, says so, and follows it until it is killed: `submitting-child.ts HOME SCRIPT`. */
import { slurmPlan, submitted, toolAt } from './slurm-runs.ts';

const [, , home = '', script = ''] = process.argv;
const nowhere = { env: process.env } as Parameters<typeof toolAt>[0];
const tool = toolAt(nowhere, { home, env: process.env });
const { folder, record } = await submitted(tool, slurmPlan(script));
process.stdout.write(`${folder.runId}\n`);
await record;
