import { relative } from 'node:path';
import { formatDuration } from '../../core/text/format.ts';
import type { FigureData, Mark } from '../../core/figures/figure-data.ts';
import type { DrawResult } from '../../workflows/figure/figure.ts';
import type { OwnFigures } from '../../workflows/figure/own-figures.ts';
import type { RunReport } from '../../workflows/figure/run-missing.ts';

interface Shown {
  readonly dryRun: boolean;
  /** Files below it are named from it. */
  readonly cwd: string;
}

/** What was drawn from what, and its files. */
export function figureText({ figures, notes, runs }: DrawResult, { dryRun, cwd }: Shown): string {
  const blocks = [
    ...runs.map((report) => runText(report, dryRun)),
    ...figures.map(({ data, files }) =>
      [
        headOf(data),
        ...(data.differences.length === 0 ? [] : [`  unlike the paper: ${data.differences.join(' | ')}`]),
        ...fileLines(files, { dryRun, cwd }),
      ].join('\n'),
    ),
    ...notes.map((note) => `note: ${note}`),
  ];
  return blocks.join('\n');
}

/** As {@link figureText}, of a figure of this tool's own. */
export function ownFigureText({ figures, notes, runs = [] }: OwnFigures, shown: Shown): string {
  return [
    ...runs.map((report) => runText(report, shown.dryRun)),
    ...figures.map(({ head, files }) => [head, ...fileLines(files, shown)].join('\n')),
    ...notes.map((note) => `note: ${note}`),
  ].join('\n');
}

function fileLines(files: readonly string[], { dryRun, cwd }: Shown): string[] {
  return [`  ${dryRun ? 'would write' : 'wrote'}:`, ...files.map((file) => `    ${near(file, cwd)}`)];
}

/** `Figure 10 on 1 x NVIDIA H200: 12 of 28 cells run, 25 predicted, 35 of the paper`. */
function headOf({ figure, system, marks, functional }: FigureData): string {
  const of = (source: Mark['source']): readonly Mark[] => marks.filter((mark) => mark.source === source);
  const measured = of('measured');
  const ran = measured.filter(({ runIds }) => runIds.length > 0).length;
  const parts = [
    measured.length === 0 ? 'nothing measured' : `${ran} of ${measured.length} cells run`,
    ...(of('predicted').length === 0 ? [] : [`${of('predicted').length} predicted`]),
    ...(of('published').length === 0 ? [] : [`${of('published').length} of the paper`]),
  ];
  return `Figure ${figure} on ${system.title}${functional ? ' (functional)' : ''}: ${parts.join(', ')}`;
}

function runText({ figure, chips, campaign, missing, expectedMs }: RunReport, dryRun: boolean): string {
  const what = campaign === null ? 'a search' : `campaign ${campaign}`;
  const on = `figure ${figure} on ${chips} chip${chips === 1 ? '' : 's'}, ${what}`;
  if (missing.length === 0) return `${on}: nothing is missing`;
  const time = dryRun && expectedMs !== null ? `, about ${formatDuration(expectedMs)}` : '';
  return [`${on}: ${dryRun ? 'would run' : 'ran'}${time}`, ...missing.map((title) => `  ${title}`)].join(
    '\n',
  );
}

function near(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') ? path : short;
}
