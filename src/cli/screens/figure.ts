import { faultsError } from '../../errors.ts';
import { drawFigures } from '../../workflows/figure/figure.ts';
import { checkedRequest } from '../../workflows/figure/formats.ts';
import type { RunMissing } from '../../workflows/figure/run-missing.ts';
import type { CommandIo } from '../commands/module.ts';
import { figureText } from '../text/figure.ts';
import { given } from '../flags/given.ts';

/** Flags of `figure` as commander reads them. */
interface FigureOptions {
  readonly system?: string | undefined;
  readonly from?: readonly string[] | undefined;
  readonly formats?: readonly string[] | undefined;
  readonly out: string;
  readonly paper: boolean;
  readonly predicted: boolean;
  readonly run?: true | undefined;
  readonly runFlags: Partial<Pick<RunMissing, 'chips' | 'repeat' | 'stack'>> & Pick<RunMissing, 'flags'>;
  readonly json?: true | undefined;
  readonly dryRun?: true | undefined;
}

/** Draws figures, after what is missing was run where that is asked for, and names the files. */
export async function showFigures(io: CommandIo, wanted: string, options: FigureOptions): Promise<void> {
  const { system, runFlags, paper, predicted, out } = options;
  const { figures, formats } = checkedRequest(wanted, options.formats ?? []);
  requireRun(options);
  const dryRun = options.dryRun ?? false;
  const run = { stack: 'pip', repeat: 1, ...runFlags, system: system ?? 'local' };
  const result = await drawFigures(io.context, {
    ...{ figures, from: options.from ?? [], paper, predicted, out, dryRun },
    ...given('system', system),
    formats: options.formats === undefined ? null : formats,
    run: options.run === true ? run : null,
  });
  io.print(
    options.json === true
      ? JSON.stringify(result, null, 2)
      : figureText(result, { dryRun, cwd: io.context.cwd }),
  );
  io.exitWith(Math.max(0, ...result.runs.map(({ exitCode }) => exitCode)));
}

/** A flag that only runs have would be passed over in silence. */
function requireRun({ run, runFlags }: FigureOptions): void {
  const { flags, ...others } = runFlags;
  // Of the case's fields two have other names than their flags.
  const idle = Object.keys({ ...flags, ...others }).map((key) => key.replace(/^(mode|model)s$/, '$1'));
  if (run === true || idle.length === 0) return;
  const faults = idle.map((name) => ({
    place: `--${name}`,
    problem: 'says nothing without --run',
    expected: '--run',
  }));
  throw faultsError('usage', faults);
}
