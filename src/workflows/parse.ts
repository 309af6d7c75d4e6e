import { addAbortSignal, Readable } from 'node:stream';
import {
  findLogFault,
  NotALog,
  openLogFile,
  openLogStream,
  readable,
  type LogSource,
} from '../adapters/log-source.ts';
import { noExitEvidence } from '../core/logs/outcome.ts';
import { createScanner } from '../core/logs/scan.ts';
import { stepRow, type StepRow } from '../core/logs/step-row.ts';
import { summarizeLog, type LogSummary } from '../core/logs/summary.ts';
import { faultsError, type Fault } from '../errors.ts';
import type { Context } from './context.ts';

/** One log, read to its end. */
export interface ParsedLog extends LogSummary {
  readonly schemaVersion: 1;
  /** The path as given, or `-`. */
  readonly file: string;
  readonly bytes: number;
}

export interface ParseOptions {
  /** Paths, or `-` for stdin once. */
  readonly files: readonly string[];
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Called for every iteration line as it comes, with all of its fields. */
  readonly onStep?: (file: string, row: StepRow) => void;
}

const logHint =
  'A log is the text that a training run prints. Compressed ones go through a pipe: gunzip -c FILE | superoffload parse -';

/**
 * Reads training logs and says what is in them.
 * @throws SuperOffloadError (usage) naming every file that is missing, empty or binary, before any is read
 */
export async function parseLogs(context: Context, options: ParseOptions): Promise<ParsedLog[]> {
  await checkFiles(options.files);
  // A pipe that never ends must not hold Ctrl-C: its stream is destroyed, which ends the reading.
  if (options.stdin instanceof Readable && options.files.includes('-')) {
    addAbortSignal(context.signal, options.stdin);
  }
  const logs: ParsedLog[] = [];
  for (const file of options.files) {
    const source = file === '-' ? openLogStream(options.stdin) : openLogFile(file);
    const log = await parseLog(context, source, options.onStep);
    warn(context, log);
    logs.push(log);
  }
  return logs;
}

async function checkFiles(files: readonly string[]): Promise<void> {
  const faults: Fault[] = [];
  for (const [index, file] of files.entries()) {
    const problem = file === '-' ? undefined : await findLogFault(file);
    if (problem !== undefined) faults.push({ place: file, problem, expected: 'a training log as text' });
    if (file === '-' && files.indexOf('-') !== index)
      faults.push({ place: '-', problem: 'stdin can be read only once' });
  }
  if (faults.length > 0) throw faultsError('usage', faults, logHint);
}

async function parseLog(
  context: Context,
  source: LogSource,
  onStep: ParseOptions['onStep'],
): Promise<ParsedLog> {
  const scanner = createScanner(
    onStep === undefined
      ? undefined
      : (line, events) => {
          const row = stepRow(line, events);
          if (row !== undefined) onStep(source.name, row);
        },
  );
  const bytes = await read(source, scanner.push, context.signal);
  const summary = summarizeLog(scanner.end(), noExitEvidence);
  const { outcome } = summary;
  return {
    schemaVersion: 1,
    file: source.name,
    bytes,
    ...summary,
    outcome: { ...outcome, evidence: outcome.evidence === null ? null : readable(outcome.evidence) },
    exception: summary.exception === null ? null : readable(summary.exception),
    lastLines: summary.lastLines.map(readable),
  };
}

async function read(
  source: LogSource,
  push: (text: string, codes: Uint8Array) => void,
  signal: AbortSignal,
): Promise<number> {
  try {
    return await source.read(push, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NotALog)) throw error;
    throw faultsError(
      'usage',
      [{ place: 'stdin', problem: error.message, expected: 'a training log as text' }],
      logHint,
    );
  }
}

/** What a reader should know before trusting the numbers. */
function warn({ emit }: Context, log: ParsedLog): void {
  const say = (message: string, hint?: string): void => {
    emit({ type: 'warning', message: `${log.file}: ${message}`, ...(hint === undefined ? {} : { hint }) });
  };
  if (log.iterationCount === 0) {
    say(
      `no iteration line in ${log.lineCount} line(s)`,
      'known are the lines of Megatron-LM, Megatron-DeepSpeed, the built-in trainer and the DeepSpeed engine (steps_per_print)',
    );
  } else if (log.steps === null) {
    say(
      'its iteration lines give no step time',
      'DeepSpeed prints it with "wall_clock_breakdown" or "steps_per_print": 1',
    );
  }
  if (log.endsInsideLine) say('ends in the middle of a line: it was cut, or is still being written');
  if (log.damagedLines > 0) {
    say(
      `${log.damagedLines} iteration line(s) are cut or mixed with another rank's and were not used`,
      'one log file a rank avoids this: --enable_each_rank_log DIR (deepspeed), --redirects 3 (torchrun), -o %t (srun)',
    );
  }
  if (log.otherRankIterations > 0) {
    say(
      `${log.otherRankIterations} iteration line(s) of other ranks tell the same steps and were not counted again`,
    );
  }
  if (log.restarts > 0)
    say(`the iteration number goes back ${log.restarts} time(s): a resumed run, read as one`);
}
