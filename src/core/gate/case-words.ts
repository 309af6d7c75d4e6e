import { modeNames } from '../experiment/case.ts';
import { nearest } from '../experiment/nearest.ts';
import type { Fault } from '../../errors.ts';
import type { Baseline, Reference } from './baseline.ts';
import type { GateCase } from './gate-case.ts';

/** A command of the user's has no mode of ours. */
const knownModes: readonly string[] = [...modeNames, 'command'];
/** A size by its layers and its width (core/experiment/model-names.ts). */
const shapeWord = /^\d+x\d+(x\d+x\d+)?$/;

/**
 * Words of a case that no run will ever have: such a reference would be missing, and such an excuse excuse nothing, for
 * ever.
 * @param models sizes that are known by name here
 * @param place what the file is called in a message
 */
export function caseWordFaults(baseline: Baseline, models: readonly string[], place: string): Fault[] {
  const { references, expectedFailures } = baseline;
  // What a run wrote is a word that runs have, also where this machine does not know the size.
  const ofRuns = references.filter(isOfRuns).flatMap(({ case: subject }) => subject.model ?? []);
  const sizes = [...new Set([...models, ...ofRuns])];
  const written = references.map((each, index) => ({ each, at: `${place} /references/${index}/case` }));
  const excused = expectedFailures.map((each, index) => ({
    each,
    at: `${place} /expectedFailures/${index}/case`,
  }));
  return [...written, ...excused].flatMap(({ each, at }) => [
    ...modeFaults(each.case, at),
    ...modelFaults(each.case, sizes, at),
  ]);
}

function isOfRuns({ provenance }: Reference): boolean {
  return (provenance?.runs.length ?? 0) > 0;
}

function modeFaults({ mode }: Partial<GateCase>, at: string): Fault[] {
  if (mode === undefined || knownModes.includes(mode)) return [];
  return [faultOf(`${at}/mode`, mode, 'mode', knownModes)];
}

/** The model of a command is its case id, which nothing here knows. */
function modelFaults({ mode, model }: Partial<GateCase>, sizes: readonly string[], at: string): Fault[] {
  if (mode === 'command' || model === undefined || model === null) return [];
  if (sizes.includes(model) || shapeWord.test(model)) return [];
  return [faultOf(`${at}/model`, model, 'size', sizes)];
}

function faultOf(place: string, word: string, kind: string, known: readonly string[]): Fault {
  const meant = nearest(word, known);
  const expected = meant === undefined ? known.join(', ') : `did you mean "${meant}"?`;
  return { place, problem: `${JSON.stringify(word)} is no ${kind}`, expected };
}
