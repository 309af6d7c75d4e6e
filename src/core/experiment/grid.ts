import type { Fault } from '../../errors.ts';
import { caseFaults } from '../deepspeed/build-config.ts';
import { findMode, modes, modeSpellings } from '../deepspeed/modes/registry.ts';
import { parseOverrides } from '../deepspeed/overrides.ts';
import { lackingMemory } from '../model/predict.ts';
import { leanestBatch } from '../search/batch-variants.ts';
import type { Case, ModeName, System } from './case.ts';
import { distinctFaults } from './distinct-faults.ts';
import type { ExperimentFile, GridSection } from './experiment-file.schema.ts';
import {
  chooseBatch,
  entryFor,
  followsBatchRule,
  listedChips,
  sequenceParallelOf,
  type ChipsEntry,
} from './grid-batch.ts';
import { buildCase, type CaseSettings } from './grid-case.ts';
import type { GridFlags } from './grid-flags.ts';
import { shapesNamed, type ModelTable } from './model-names.ts';

export type { ModelTable };

/** A case that this machine does not run, and why. */
export interface SkippedCase {
  readonly case: Case;
  readonly kind: 'memory' | 'needs-cuda';
  readonly reason: string;
  /** The mode and the size were asked for by name: exit code 3 rather than a row. */
  readonly askedFor: boolean;
}

export interface Grid {
  readonly cases: readonly Case[];
  readonly skipped: readonly SkippedCase[];
  /** When there is one, there are no cases. */
  readonly faults: readonly Fault[];
}

/**
 * Expands an experiment into the cases of one number of chips, sizes outermost, modes innermost, so that what is
 * compared runs side by side. Sizes that were not asked for by name and cannot be held by the system's memory are
 * skipped with the reason.
 */
export function expandGrid(
  experiment: ExperimentFile,
  models: ModelTable,
  system: System,
  flags: GridFlags = {},
): Grid {
  const section = experiment[system.accelerator];
  const entry = entryFor(section, flags.chips ?? 1);
  const chosen = chooseModes(flags.modes ?? entry.modes ?? section.modes);
  const named = shapesNamed(flags.models ?? entry.models, models);
  const parsed = parseOverrides(flags.deepspeedOverrides ?? []);
  const batch = chooseBatch(section, flags);
  const faults = [
    ...lengthFaults(experiment, entry),
    ...chosen.faults,
    ...named.faults,
    ...(parsed.ok ? [] : parsed.faults),
    ...(batch.ok ? [] : batch.faults),
  ];
  if (faults.length > 0 || !parsed.ok || !batch.ok) return { cases: [], skipped: [], faults };

  const settings: CaseSettings = {
    experiment: experiment.name,
    section,
    flags,
    batch: batch.batch,
    sequenceParallel: sequenceParallelOf(section, flags),
    overrides: parsed.overrides,
  };
  const all = named.shapes.flatMap((model) =>
    lengthsOf(model.name, section, flags).flatMap((sequenceLength) =>
      chosen.modes.map((mode) => buildCase(settings, { mode, model, sequenceLength })),
    ),
  );
  const wrong = all.flatMap((testCase) => caseFaults(testCase, { allowUnsafe: flags.allowUnsafe ?? false }));
  if (wrong.length > 0) return { cases: [], skipped: [], faults: distinctFaults(wrong) };
  const skipped = all.flatMap((testCase) => skip(testCase, section, system, flags) ?? []);
  const skippedCases = new Set(skipped.map((item) => item.case));
  return { cases: all.filter((testCase) => !skippedCases.has(testCase)), skipped, faults: [] };
}

/** Expands a whole experiment: every number of chips that it lists, unless `--chips` names one. */
export function expandExperiment(
  experiment: ExperimentFile,
  models: ModelTable,
  system: System,
  flags: GridFlags = {},
): Grid {
  const chips = flags.chips === undefined ? listedChips(experiment[system.accelerator]) : [flags.chips];
  const grids = chips.map((count) => expandGrid(experiment, models, system, { ...flags, chips: count }));
  const faults = distinctFaults(grids.flatMap((grid) => grid.faults));
  if (faults.length > 0) return { cases: [], skipped: [], faults };
  return {
    cases: grids.flatMap((grid) => grid.cases),
    skipped: grids.flatMap((grid) => grid.skipped),
    faults: [],
  };
}

function chooseModes(names: readonly string[]): {
  readonly modes: readonly ModeName[];
  readonly faults: Fault[];
} {
  const found = names.map((name) => ({ name, mode: findMode(name)?.name }));
  const faults = found
    .filter(({ mode }) => mode === undefined)
    .map(({ name }) => ({
      place: '--mode',
      problem: `there is no mode "${name}"`,
      expected: modeSpellings(),
    }));
  return { modes: [...new Set(found.flatMap(({ mode }) => mode ?? []))], faults };
}

/** Sequence lengths of one size: the one asked for, else those of the experiment. */
function lengthsOf(model: string, section: GridSection, flags: GridFlags): readonly number[] {
  if (flags.sequenceLength !== undefined) return [flags.sequenceLength];
  const listed = entryFor(section, flags.chips ?? 1).sequenceLengths ?? {};
  return (Object.hasOwn(listed, model) ? listed[model] : undefined) ?? [section.sequenceLength];
}

/** Lengths of a size that the entry does not have would be left out in silence. */
function lengthFaults(
  { name }: ExperimentFile,
  { chips, models, sequenceLengths = {} }: ChipsEntry,
): Fault[] {
  return Object.keys(sequenceLengths)
    .filter((model) => !models.includes(model))
    .map((model) => ({
      place: `experiment ${name} /byChips/${chips}/sequenceLengths/${model}`,
      problem: 'is no size of this entry',
      expected: `one of ${models.join(', ')}`,
    }));
}

function skip(
  testCase: Case,
  section: GridSection,
  system: System,
  flags: GridFlags,
): SkippedCase | undefined {
  const mode = modes[testCase.mode];
  if (mode.needsCuda && system.accelerator !== 'cuda') {
    const reason = `${mode.title} needs an NVIDIA GPU: DeepSpeed refuses it on any other accelerator`;
    const askedFor = (flags.modes ?? []).some((name) => findMode(name)?.name === mode.name);
    return { case: testCase, kind: 'needs-cuda', reason, askedFor };
  }
  if (flags.models !== undefined) return undefined;
  // Under the rule a batch that is too large at once is no reason to leave a size out.
  const leanest = followsBatchRule(section, flags) ? leanestBatch(testCase) : testCase;
  const reason = lackingMemory(leanest, system, { exclusiveHost: flags.exclusiveHost ?? false });
  return reason === null ? undefined : { case: testCase, kind: 'memory', reason, askedFor: false };
}
