#!/usr/bin/env node
/** Runs the program: the only place that exits, handles signals, and turns an error into an exit code. */
import { runProgram } from './cli/program.ts';
import { reportError } from './cli/report-error.ts';
import { exitCodeOf, SuperOffloadError } from './errors.ts';

const graceful = new AbortController();
const force = new AbortController();

for (const [signal, code] of [
  ['SIGINT', 'interrupted'],
  ['SIGTERM', 'terminated'],
] as const) {
  process.on(signal, () => {
    const error = new SuperOffloadError({ code, message: `stopped by ${signal}` });
    if (graceful.signal.aborted) {
      force.abort(error);
      process.exit(exitCodeOf(error));
    }
    graceful.abort(error);
  });
}

// `superoffload parse x | head` closes our stdout: that is the reader's right, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// Progress that nobody reads any more (`2>&1 | head`, a closed terminal) must not end the run that it tells of.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
});

try {
  process.exitCode = await runProgram(process.argv.slice(2), graceful.signal, force.signal);
} catch (error) {
  reportError(error);
  process.exitCode = exitCodeOf(error);
}
