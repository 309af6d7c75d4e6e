/** Takes over a run and follows it to its end, as a tool of its own: `attaching-child.ts HOME RUN_ID`. */
import { attachRun } from '../../../src/workflows/runs/attach.ts';

const [, , home = '', runId = ''] = process.argv;
const never = new AbortController().signal;
const context = {
  ...{ env: process.env, cwd: home, home, packageRoot: home, now: Date.now },
  ...{ emit: () => undefined, signal: never, force: never },
};
// Both of two are ready before either begins.
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
const record = await attachRun(context, runId);
process.stdout.write(`${record?.outcome.class ?? 'none'}\n`);
process.exit();
