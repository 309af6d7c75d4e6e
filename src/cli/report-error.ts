import { SuperOffloadError } from '../errors.ts';
import { asStarted } from './started-as.ts';

/** Says an error on stderr: an expected one as message and hint, a bug with its stack and where to report it. */
export function reportError(error: unknown): void {
  if (error instanceof SuperOffloadError) {
    const lines = asStarted(error.message).split('\n');
    for (const line of lines) process.stderr.write(`superoffload: ${line}\n`);
    if (error.hint !== undefined)
      process.stderr.write(`  ${asStarted(error.hint).replaceAll('\n', '\n  ')}\n`);
    return;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `superoffload: this is a bug in superoffload, please report it with the lines below and the command.\n${stack}\n` +
      `node ${process.version}, ${process.platform} ${process.arch}\n`,
  );
}
