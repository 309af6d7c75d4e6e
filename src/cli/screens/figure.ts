import { faultsError } from '../../errors.ts';
import { drawFigures } from '../../workflows/figure/figure.ts';
import type { FigureFormat } from '../../workflows/figure/formats.ts';
import { ownFigures } from '../../workflows/figure/own-figures.ts';
import type { RunMissing } from '../../workflows/figure/run-missing.ts';
import { checkedRequest } from '../../workflows/figure/wanted-figures.ts';
import type { CommandIo } from '../commands/module.ts';
import { figureText, ownFigureText } from '../text/figure.ts';
import { given } from '../flags/given.ts';

/** Flags of `figure` as commander reads them. */
interface FigureOptions {
  readonly system?: string | undefined;
  readonly from?: readonly string[] | undefined;
  readonly formats?: readonly string[] | undefined;
  readonly out: string;
  readonly limits?: string | undefined;
  readonly paper: boolean;
  readonly predicted: boolean;
  readonly run?: true | undefined;
  readonly runFlags: Partial<Pick<RunMissing, 'chips' | 'repeat' | 'stack' | 'rows'>> &
    Pick<RunMissing, 'flags'>;
  readonly json?: true | undefined;
  readonly dryRun?: true | undefined;
}

/** Draws figures, after what is missing was run where that is asked for, and names the files. */
export async function showFigures(io: CommandIo, word: string, options: FigureOptions): Promise<void> {
  const { wanted, formats } = checkedRequest(word, options.formats ?? []);
  requireRun(options);
  const chosen = options.formats === undefined ? null : formats;
  if ('own' in wanted) return showOwnFigure(io, wanted.own, options, chosen);
  requireFlags(`figure ${word}`, options, ['system', 'paper', 'predicted', 'run']);
  const { system, paper, predicted, out } = options;
  const dryRun = options.dryRun ?? false;
  const result = await drawFigures(io.context, {
    ...{ figures: wanted.figures, from: options.from ?? [], paper, predicted, out, dryRun },
    ...given('system', system),
    formats: chosen,
    run: runOf(options),
  });
  io.print(
    options.json === true
      ? JSON.stringify(result, null, 2)
      : figureText(result, { dryRun, cwd: io.context.cwd }),
  );
  io.exitWith(Math.max(0, ...result.runs.map(({ exitCode }) => exitCode)));
}

async function showOwnFigure(
  io: CommandIo,
  name: string,
  options: FigureOptions,
  formats: readonly FigureFormat[] | null,
): Promise<void> {
  const kind = ownFigures[name];
  if (kind === undefined) throw new Error(`no figure ${name}`);
  requireFlags(`figure ${name}`, options, kind.flags);
  const { system, limits, paper, predicted, out, from = [] } = options;
  const dryRun = options.dryRun ?? false;
  const draw = await kind.load();
  const result = await draw(io.context, {
    ...{ from, paper, predicted, formats, out, dryRun },
    ...given('system', system),
    ...given('limits', limits),
    run: runOf(options),
  });
  io.print(
    options.json === true
      ? JSON.stringify({ schemaVersion: 1, ...result }, null, 2)
      : ownFigureText(result, { dryRun, cwd: io.context.cwd }),
  );
  io.exitWith(Math.max(0, ...(result.runs ?? []).map(({ exitCode }) => exitCode)));
}

/** null draws what is there. */
function runOf({ run, runFlags, system }: FigureOptions): RunMissing | null {
  return run === true ? { stack: 'pip', repeat: 1, ...runFlags, system: system ?? 'local' } : null;
}

/** Flags that only some figures have; said to another one they would be passed over in silence. */
function requireFlags(what: string, options: FigureOptions, taken: readonly string[]): void {
  const { system, limits, paper, predicted, run, runFlags } = options;
  const flags = {
    ...{ system: system !== undefined, limits: limits !== undefined, row: runFlags.rows !== undefined },
    ...{ paper: !paper, predicted: !predicted, run: run === true },
  };
  const idle = Object.entries(flags).filter(([flag, isGiven]) => isGiven && !taken.includes(flag));
  if (idle.length === 0) return;
  const faults = idle.map(([flag]) => {
    const place = flag === 'paper' || flag === 'predicted' ? `--no-${flag}` : `--${flag}`;
    return { place, problem: `says nothing to ${what}` };
  });
  throw faultsError('usage', faults, 'see: superoffload figure --help');
}

/** A flag that only runs have would be passed over in silence. */
function requireRun({ run, runFlags }: FigureOptions): void {
  const { flags, ...others } = runFlags;
  // Some have other names than their flags.
  const idle = Object.keys({ ...flags, ...others }).map((key) => key.replace(/^(mode|model|row)s$/, '$1'));
  if (run === true || idle.length === 0) return;
  const faults = idle.map((name) => ({
    place: `--${name}`,
    problem: 'says nothing without --run',
    expected: '--run',
  }));
  throw faultsError('usage', faults);
}
