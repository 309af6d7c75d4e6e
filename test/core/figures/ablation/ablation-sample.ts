import { join } from 'node:path';
import { readExperiment, readModels } from '../../../../src/adapters/experiment-data.ts';
import type { AblationData } from '../../../../src/core/figures/ablation/ablation-data.ts';
import { buildAblation, type AblationInputs } from '../../../../src/core/figures/ablation/build-ablation.ts';
import { ablationPlaces, type AblationPlace } from '../../../../src/core/figures/ablation/places.ts';
import type { RunRecord } from '../../../../src/core/results/record.ts';
import { launches, type Launch } from '../launches.ts';
import { machineOf, packageRoot, paper } from '../scene-inputs.ts';

const folder = join(packageRoot, 'experiment');
const models = Object.fromEntries(readModels([folder]).map(({ shape }) => [shape.name, shape]));
export const experiment = readExperiment('ablation', [folder]);
export const places = ablationPlaces(experiment, 'cuda', models);

export function placeNamed(title: string, group: RegExp): AblationPlace {
  const found = places.find((place) => place.row.title === title && group.test(place.group));
  if (found === undefined) throw new Error(`no row ${title}`);
  return found;
}

/** Runs of rows, a minute after another, of these step times; another experiment asked for them. */
export function runsOf(given: readonly (readonly [AblationPlace, number, Partial<Launch>?])[]): RunRecord[] {
  const all = launches(
    ...given.map(([{ subject }, stepMs, more = {}]) => ({
      subject: { ...subject, experiment: 'throughput', steps: 20 },
      stepMs,
      ...more,
    })),
  );
  return all.map((record, index) => {
    const [, stepMs = 0] = given[index] ?? [];
    const endedUtc = record.startedUtc.replace(':00.000Z', ':30.000Z');
    return {
      ...record,
      endedUtc,
      stepMs: Array.from({ length: 20 }, (_, step) => stepMs * (1 + 0.001 * (step % 3))),
    };
  });
}

export function inputsOf(
  records: readonly RunRecord[],
  change: Partial<AblationInputs> = {},
): AblationInputs {
  return {
    ...{ experiment, models, paper, system: machineOf(records), tool: '0.1.0' },
    ...{ showPaper: true, showPredicted: true },
    ...change,
  };
}

export function built(records: readonly RunRecord[], change: Partial<AblationInputs> = {}): AblationData {
  const data = buildAblation(inputsOf(records, change));
  if (data === null) throw new Error('there is nothing to draw');
  return data;
}
