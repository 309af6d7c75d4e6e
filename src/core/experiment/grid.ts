import type { Fault } from '../../errors.ts';
import { caseFaults } from '../deepspeed/build-config.ts';
import { findMode, modes } from '../deepspeed/modes/registry.ts';
import { lackingMemory } from '../model/predict.ts';
import { leanestBatch } from '../search/batch-variants.ts';
import { canonicalJson } from './case-id.ts';
import type { Case, ModelShape, System } from './case.ts';
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
import { gridRows, type GridRow } from './grid-rows.ts';
import { shapesNamed, type ModelTable } from './model-names.ts';

export type { ModelTable };

/** A case that this machine does not run, and why. */
export interface SkippedCase {
  readonly case: Case;
  readonly kind: 'memory' | 'needs-cuda' | 'needs-patches';
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
  const { rows, ...wrong } = gridRows(experiment, section, flags);
  const named = shapesNamed(flags.models ?? entry.models, models);
  const batches = rows.map((row) => chooseBatch(section, row.flags));
  const faults = distinctFaults([
    ...lengthFaults(experiment, entry),
    ...wrong.modeFaults,
    ...named.faults,
    ...wrong.faults,
    ...batches.flatMap((batch) => (batch.ok ? [] : batch.faults)),
  ]);
  if (faults.length > 0) return { cases: [], skipped: [], faults };

  const all = plannedCases(experiment, section, named.shapes, joined(rows, batches));
  const { allowUnsafe = false } = flags;
  const caseWrong = all.flatMap(({ testCase }) => caseFaults(testCase, { allowUnsafe }));
  if (caseWrong.length > 0) return { cases: [], skipped: [], faults: distinctFaults(caseWrong) };
  const skipped = all.flatMap(({ testCase, row }) => skip(testCase, section, system, row.flags) ?? []);
  const skippedCases = new Set(skipped.map((item) => item.case));
  return {
    cases: all.map(({ testCase }) => testCase).filter((each) => !skippedCases.has(each)),
    skipped,
    faults: [],
  };
}

function joined(rows: readonly GridRow[], batches: readonly ReturnType<typeof chooseBatch>[]): PlannedRow[] {
  return rows.flatMap((row, index) => {
    const batch = batches[index];
    return batch?.ok === true ? [{ row, batch: batch.batch }] : [];
  });
}

/** Sizes outermost, then lengths, then rows; rows that stand in two groups are one case. */
function plannedCases(
  experiment: ExperimentFile,
  section: GridSection,
  shapes: readonly ModelShape[],
  rows: readonly PlannedRow[],
): PlannedCase[] {
  const all = shapes.flatMap((model) => {
    const own = rows.filter(({ row }) => row.has(model.name));
    const lengthsFor = ({ row }: PlannedRow): readonly number[] => lengthsOf(model.name, section, row.flags);
    return [...new Set(own.flatMap(lengthsFor))].flatMap((sequenceLength) =>
      own
        .filter((each) => lengthsFor(each).includes(sequenceLength))
        .map((each) => planOf(experiment, section, each, { model, sequenceLength })),
    );
  });
  return section.rows === undefined
    ? all
    : [...new Map(all.map((plan) => [canonicalJson(plan.testCase), plan])).values()];
}

interface PlannedRow {
  readonly row: GridRow;
  readonly batch: CaseSettings['batch'];
}

interface PlannedCase {
  readonly row: GridRow;
  readonly testCase: Case;
}

function planOf(
  { name }: ExperimentFile,
  section: GridSection,
  { row, batch }: PlannedRow,
  at: { readonly model: ModelShape; readonly sequenceLength: number },
): PlannedCase {
  const { flags, overrides, mode } = row;
  const sequenceParallel = sequenceParallelOf(section, flags);
  const settings: CaseSettings = { experiment: name, section, flags, batch, sequenceParallel, overrides };
  return { row, testCase: buildCase(settings, { mode, ...at }) };
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
