import { resolve } from 'node:path';
import { dataFolders, readExperiment, readModels, scanSystems } from '../../adapters/experiment-data.ts';
import { readPaper } from '../../adapters/paper-data.ts';
import type { AblationData } from '../../core/figures/ablation/ablation-data.ts';
import {
  ablationTrials,
  buildAblation,
  type AblationInputs,
} from '../../core/figures/ablation/build-ablation.ts';
import { figureSystems, systemWithoutRuns, type FigureSystem } from '../../core/figures/figure-system.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { resolveMachine } from '../machine.ts';
import { readRecords } from '../records/read-records.ts';
import { toolIdentity } from '../tool-identity.ts';
import { namedSystems, withRates } from './choose-systems.ts';
import { usualFormats } from './formats.ts';
import type { DrawOwnFigure, OwnFigureRequest, OwnFigures } from './own-figures.ts';
import { requireOut } from '../require-out.ts';
import type { RunReport } from './run-missing.ts';
import { filesOf, writeFigures, type Drawable } from './write-figures.ts';

/** The experiment whose rows are drawn; a user's own file of that name in `experiment` stands before the package's. */
const experimentName = 'ablation';

/**
 * Draws each setting of the modes on and off: what `experiment/ablation.json` lists, whatever runs measured it.
 * @throws SuperOffloadError 'usage' for what names nothing; 'environment' where there is nothing to draw.
 */
export const drawAblation: DrawOwnFigure = async (context, request) => {
  const { from, dryRun } = request;
  const out = resolve(context.cwd, request.out);
  const run = request.run ?? null;
  if (run !== null && from.length > 0 && !from.includes('runs')) throw runsElsewhere(from);
  await requireOut(out, { make: run !== null && !dryRun });
  const runs: RunReport[] = [];
  if (run !== null) {
    const { runExperiment } = await import('./run-missing.ts');
    runs.push(await runExperiment(context, experimentName, run, dryRun));
  }
  const { built, notes } = await buildAblations(context, request);
  if (built.length === 0 && dryRun && runs.length > 0) return { figures: [], notes, runs };
  if (built.length === 0) throw nothingToDraw(notes);
  const drawables = built.map(drawableAblation);
  const formats = request.formats ?? usualFormats;
  const files = dryRun
    ? drawables.map((each) => filesOf(each, formats, out))
    : await writeFigures(context, drawables, { formats, out, mayLackPng: request.formats === null });
  const figures = built.map((data, index) => ({ data, head: headOf(data), files: files[index] ?? [] }));
  return { figures, notes, runs } satisfies OwnFigures;
};

async function buildAblations(
  context: Context,
  { from, system, paper, predicted = true }: OwnFigureRequest,
): Promise<{ readonly built: readonly AblationData[]; readonly notes: readonly string[] }> {
  const { records, notes } = await readRecords(context, from);
  const folders = dataFolders(context);
  const experiment = readExperiment(experimentName, folders);
  const models = Object.fromEntries(readModels(folders).map(({ shape }) => [shape.name, shape]));
  const catalog = scanSystems(folders).systems;
  const machines = figureSystems(records.map(({ record }) => record)).map((machine) =>
    withRates(machine, catalog),
  );
  const hasRuns = (machine: FigureSystem): boolean =>
    ablationTrials({ experiment, models, system: machine }).trials.length > 0;
  const named = await namedSystems(context, system, machines);
  const ran = machines.filter(hasRuns);
  const chosen = named ?? (ran.length > 0 ? ran : [await paperSystem(context)]);
  const [table, { version: tool }] = [readPaper(context), await toolIdentity(context)];
  const built = chosen.flatMap((machine) => {
    const inputs: AblationInputs = {
      ...{ experiment, models, paper: table, system: machine, tool },
      ...{ showPaper: paper, showPredicted: predicted },
    };
    return buildAblation(inputs) ?? [];
  });
  const without = chosen.filter((machine) => !hasRuns(machine)).map(({ title }) => title);
  const advice = without.map(
    (title) =>
      `ablation: no run on ${title}, prediction and paper alone are drawn; to make runs: superoffload figure ablation --run`,
  );
  return { built, notes: [...notes, ...advice] };
}

/** Where nothing was run: the machine of the paper's table. */
async function paperSystem(context: Context): Promise<FigureSystem> {
  return systemWithoutRuns((await resolveMachine(context, 'gh200')).system);
}

function drawableAblation(data: AblationData): Drawable {
  const { picture } = data;
  const texts = () => import('../../core/figures/ablation/ablation-text.ts');
  return {
    title: `figure ablation, ${picture.system.title}`,
    base: `ablation-${picture.system.name}`,
    data,
    spec: async () => (await import('../../core/figures/render/page/spec.ts')).vegaLiteSpec(picture),
    csv: async () => (await texts()).ablationCsv(data),
    markdown: async () => (await texts()).ablationMarkdown(data),
    html: async (svg) =>
      (await import('../../core/figures/ablation/ablation-html.ts')).ablationHtml(data, svg),
  };
}

/** `Ablation on 1 x NVIDIA H200: 3 of 30 settings run, 10 predicted, 5 of the paper`. */
function headOf({ rows, picture }: AblationData): string {
  const count = (isSo: (row: AblationData['rows'][number]) => boolean): number => rows.filter(isSo).length;
  const parts = [
    `${count(({ runIds }) => runIds.length > 0)} of ${rows.length} settings run`,
    `${count(({ predicted }) => predicted !== null)} predicted`,
    `${count(({ published }) => published !== null)} of the paper`,
  ];
  return `Ablation on ${picture.system.title}${picture.functional ? ' (functional)' : ''}: ${parts.join(', ')}`;
}

function runsElsewhere(from: readonly string[]): SuperOffloadError {
  const problem = 'what --run measures would not be drawn: it is stored among the runs';
  return faultsError('usage', [
    { place: `--from ${from.join(' --from ')}`, problem, expected: 'also --from runs' },
  ]);
}

function nothingToDraw(notes: readonly string[]): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: [
      'figure ablation: there is nothing to draw: no run, and nothing that is predicted or published',
      ...notes,
    ].join('\n'),
    hint: 'to make the runs and draw them: superoffload figure ablation --run',
  });
}
