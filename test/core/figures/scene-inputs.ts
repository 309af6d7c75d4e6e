import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readExperiment, readModels, readSystems } from '../../../src/adapters/experiment-data.ts';
import { readPaper } from '../../../src/adapters/paper-data.ts';
import type { System } from '../../../src/core/experiment/case.ts';
import { resolveSystem } from '../../../src/core/experiment/system.ts';
import { buildFigure } from '../../../src/core/figures/paper/build-figure.ts';
import type { FigureData, FigureNumber, Mark } from '../../../src/core/figures/figure-data.ts';
import {
  figureSystems,
  systemWithoutRuns,
  type FigureSystem,
} from '../../../src/core/figures/figure-system.ts';
import type { FigureInputs } from '../../../src/core/figures/paper/scene.ts';
import { figureExperiments } from '../../../src/core/figures/trial.ts';
import { migrateRecord } from '../../../src/core/results/migrate.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';

export const packageRoot = join(import.meta.dirname, '../../..');
export const recordsFile = join(packageRoot, 'test/fixtures/records/h200.ndjson');
const folder = join(packageRoot, 'experiment');
export const paper = readPaper({ packageRoot });
const models = Object.fromEntries(readModels([folder]).map(({ shape }) => [shape.name, shape]));
const catalog = readSystems([folder]);

/**
 * Records of one and two H200 GPUs as the tool wrote them, oldest first: throughput (built-in and Megatron), model size
 * and sequence length, of two stacks. Less of facts and conditions, numbers to six digits.
 */
export const realRecords: readonly RunRecord[] = readFileSync(recordsFile, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const read = migrateRecord(JSON.parse(line));
    if (!read.ok) throw new Error(read.problem);
    return read.record;
  })
  .sort((a, b) => (a.startedUtc < b.startedUtc ? -1 : 1));

/** A machine of the package's profiles, without runs. */
export function profile(name: string): FigureSystem {
  const named = catalog.find((known) => known.name === name);
  if (named === undefined) throw new Error(`no profile ${name}`);
  const probed = {
    accelerator: 'cpu',
    gpuName: null,
    gpuCount: 0,
    gpuGiB: null,
    hostNumaNodes: null,
  } as const;
  return systemWithoutRuns(resolveSystem(named, { ...probed, hostGiB: 31, cores: 2 }, catalog));
}

/** The one machine of these records, or the profile's with them. */
export function machineOf(records: readonly RunRecord[], as: System | null = null): FigureSystem {
  const machines = figureSystems(records);
  const [machine] = machines;
  if (machine === undefined || machines.length > 1) throw new Error(`${machines.length} machines`);
  return as === null ? machine : { ...machine, system: as };
}

export function inputsOf(
  figure: FigureNumber,
  system: FigureSystem,
  change: Partial<FigureInputs> = {},
): FigureInputs {
  const experiment = readExperiment(figureExperiments[figure], [folder]);
  return {
    figure,
    paper,
    experiment,
    models,
    system,
    showPaper: true,
    showPredicted: true,
    tool: '0.1.0',
    ...change,
  };
}

export function built(
  figure: FigureNumber,
  system: FigureSystem,
  change: Partial<FigureInputs> = {},
): FigureData {
  const data = buildFigure(inputsOf(figure, system, change));
  if (data === null) throw new Error('there is nothing to draw');
  return data;
}

/** The marks of a source at a place: `1chip prism 2B`. */
export function markAt(data: FigureData, source: Mark['source'], place: string): Mark {
  const found = data.marks.filter(
    (mark) => mark.source === source && `${mark.panel} ${mark.series} ${mark.x}` === place,
  );
  const [mark] = found;
  if (mark === undefined || found.length > 1) throw new Error(`${found.length} marks at ${place}`);
  return mark;
}

export function sourceOf(data: FigureData, source: Mark['source']): readonly Mark[] {
  return data.marks.filter((mark) => mark.source === source);
}
