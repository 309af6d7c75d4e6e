import { resolve } from 'node:path';
import { runsCommand } from '../../core/figures/paper/commands.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { buildFigures, type FigureRequest } from './build-figures.ts';
import { profileNamed } from './choose-systems.ts';
import { usualFormats, type FigureFormat } from './formats.ts';
import type { RunMissing, RunReport } from './run-missing.ts';
import { requireOut } from '../require-out.ts';
import { drawableFigure, filesOf, writeFigures, type WrittenFigure } from './write-figures.ts';

export interface DrawRequest extends FigureRequest {
  /** null: the usual ones, without PNG where this machine cannot draw it. */
  readonly formats: readonly FigureFormat[] | null;
  /** As the user gave it. */
  readonly out: string;
  readonly dryRun: boolean;
  /** Runs what is missing first; null draws what is there. */
  readonly run: RunMissing | null;
}

export interface DrawResult {
  readonly schemaVersion: 1;
  /** Each with its files: written, or of a dry run those that would be. */
  readonly figures: readonly WrittenFigure[];
  readonly notes: readonly string[];
  /** What was run for it, or would be; empty without `--run`. */
  readonly runs: readonly RunReport[];
}

/**
 * Draws figures of what was run, after running what is missing where that is asked for.
 * @throws SuperOffloadError 'usage' for what names nothing, 'environment' where a folder cannot be written, or there is
 * nothing to draw.
 */
export async function drawFigures(context: Context, request: DrawRequest): Promise<DrawResult> {
  const { dryRun, run, figures, from } = request;
  const out = resolve(context.cwd, request.out);
  if (run !== null && from.length > 0 && !from.includes('runs')) throw runsElsewhere(from);
  await requireOut(out, { make: run !== null && !dryRun });
  const runs = run === null ? [] : await runAll(context, figures, run, dryRun);
  const built = await buildFigures(context, request);
  if (built.figures.length === 0) throw nothingToDraw(context, request, built.unread);
  const formats = request.formats ?? usualFormats;
  const drawables = built.figures.map(drawableFigure);
  const mayLackPng = request.formats === null;
  const files = dryRun
    ? drawables.map((each) => filesOf(each, formats, out))
    : await writeFigures(context, drawables, { formats, out, mayLackPng });
  const figureFiles = built.figures.map((data, index) => ({ data, files: files[index] ?? [] }));
  return {
    ...{ schemaVersion: 1, notes: [...built.unread, ...built.notes], runs },
    figures: figureFiles,
  };
}

async function runAll(
  context: Context,
  figures: DrawRequest['figures'],
  run: RunMissing,
  dryRun: boolean,
): Promise<RunReport[]> {
  // What follows runs is not loaded for a picture.
  const { runMissing } = await import('./run-missing.ts');
  const reports: RunReport[] = [];
  for (const figure of figures) reports.push(...(await runMissing(context, figure, run, dryRun)));
  return reports;
}

function runsElsewhere(from: readonly string[]): SuperOffloadError {
  const problem = 'what --run measures would not be drawn: it is stored among the runs';
  return faultsError('usage', [
    { place: `--from ${from.join(' --from ')}`, problem, expected: 'also --from runs' },
  ]);
}

function nothingToDraw(
  context: Context,
  { figures, system, paper, predicted }: DrawRequest,
  notes: readonly string[],
): SuperOffloadError {
  const left = [...(paper ? [] : ['--no-paper']), ...(predicted ? [] : ['--no-predicted'])];
  const why =
    left.length === 0 ? 'no run, and nothing that can be predicted' : `no run, with ${left.join(' and ')}`;
  const wanted = figures.length === 1 ? String(figures[0]) : 'all';
  const profile = system === undefined ? null : profileNamed(context, system);
  const on = profile === null ? '' : ` --system ${profile}`;
  const others = figures.map((figure) => `or: ${runsCommand(figure, profile)}`);
  return new SuperOffloadError({
    code: 'environment',
    message: [`figure ${wanted}: there is nothing to draw: ${why}`, ...notes].join('\n'),
    hint: [`to make the runs and draw them: superoffload figure ${wanted} --run${on}`, ...others].join('\n'),
  });
}
