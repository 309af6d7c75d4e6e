#!/usr/bin/env node
/** Runs the program: the only place that exits, handles signals, and turns an error into an exit code. */
import { setMaxListeners } from 'node:events';
import { runProgram } from './cli/program.ts';
import { reportError } from './cli/report-error.ts';
import { exitCodeOf, SuperOffloadError } from './errors.ts';

const graceful = new AbortController();
const force = new AbortController();
// Every probe and process listens to them, more than ten at once: no leak.
setMaxListeners(0, graceful.signal, force.signal);
/**
 * Signals this close together are one: npx passes on the Ctrl-C that the terminal has sent to everybody already,
 * and a terminal that closes sends SIGHUP and often SIGTERM.
 */
const sameSignalMs = 300;
let firstSignalMs = 0;

for (const [signal, code] of [
  ['SIGINT', 'interrupted'],
  ['SIGTERM', 'terminated'],
  // Node takes no notice of nohup: it is stopped here as by any other signal, rather than leaving the run alone.
  ['SIGHUP', 'hangup'],
] as const) {
  process.on(signal, () => {
    const error = new SuperOffloadError({ code, message: `stopped by ${signal}` });
    if (!graceful.signal.aborted) {
      firstSignalMs = performance.now();
      graceful.abort(error);
    } else if (performance.now() - firstSignalMs > sameSignalMs) {
      force.abort(error);
      process.exit(exitCodeOf(error));
    }
  });
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || error.code === 'EIO') {
    // `superoffload parse x | head` closes our stdout: that is the reader's right, not an error. A command that is
    // just ending has set its exit code by the next turn.
    setImmediate(() => process.exit());
    return;
  }
  const unwritten = new SuperOffloadError({
    code: 'environment',
    message: `cannot write to stdout: ${error.code === 'ENOSPC' ? 'the disk is full' : error.message}`,
    hint: 'what was asked for is not printed in whole; runs and their records are not touched by this',
    cause: error,
  });
  reportError(unwritten);
  process.exit(exitCodeOf(unwritten));
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
