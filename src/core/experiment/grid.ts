import type { Fault } from '../../errors.ts';
import { parseOverrides } from '../deepspeed/overrides.ts';
import { caseFaults } from '../deepspeed/build-config.ts';
import { findMode, modes, modeSpellings } from '../deepspeed/modes/registry.ts';
import { resolveBatch } from '../model/batch.ts';
import { estimateMemory, fits } from '../model/memory.ts';
import type { Case, ModeName, ModelShape, System } from './case.ts';
import type { ExperimentFile, GridSection } from './experiment-file.schema.ts';
import { distinctFaults } from './distinct-faults.ts';
import type { GridFlags } from './grid-flags.ts';
import { nearest } from './nearest.ts';

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

interface ChipsEntry {
  readonly chips: number;
  readonly globalBatch: number;
  readonly models: readonly string[];
}

interface Choice {
  readonly experiment: ExperimentFile;
  readonly section: GridSection;
  readonly system: System;
  readonly flags: GridFlags;
  readonly overrides: Readonly<Record<string, unknown>>;
}

/** A grid's models: every entry of model.json by its key. */
export type ModelTable = Readonly<Record<string, ModelShape>>;

/**
 * Expands an experiment into cases, sizes outermost, modes innermost, so that what is compared runs side by side.
 * Sizes that were not asked for by name and cannot be held by the system's memory are skipped with the reason.
 */
export function expandGrid(
  experiment: ExperimentFile,
  models: ModelTable,
  system: System,
  flags: GridFlags = {},
): Grid {
  const section = experiment[system.accelerator];
  const names = chooseNames(section, models, flags);
  const parsed = parseOverrides(flags.deepspeedOverrides ?? []);
  const batch = chooseBatch(section, flags);
  const faults = [...names.faults, ...(parsed.ok ? [] : parsed.faults), ...(batch.ok ? [] : batch.faults)];
  if (faults.length > 0 || !parsed.ok || !batch.ok) return { cases: [], skipped: [], faults };

  const choice: Choice = { experiment, section, system, flags, overrides: parsed.overrides };
  const all = names.shapes.flatMap((model) =>
    names.modes.map((mode) => buildCase(choice, mode, model, batch.batch)),
  );
  const wrong = all.flatMap((testCase) => caseFaults(testCase, { allowUnsafe: flags.allowUnsafe ?? false }));
  if (wrong.length > 0) return { cases: [], skipped: [], faults: distinctFaults(wrong) };
  const skipped = all.map((testCase) => skip(testCase, choice)).filter((item) => item !== null);
  const skippedCases = new Set(skipped.map((item) => item.case));
  return { cases: all.filter((testCase) => !skippedCases.has(testCase)), skipped, faults: [] };
}

function chooseNames(
  section: GridSection,
  models: ModelTable,
  flags: GridFlags,
): { modes: ModeName[]; shapes: ModelShape[]; faults: Fault[] } {
  const faults: Fault[] = [];
  const chosenModes = (flags.modes ?? section.modes).flatMap((name) => {
    const mode = findMode(name);
    if (mode === undefined) {
      faults.push({ place: '--mode', problem: `there is no mode "${name}"`, expected: modeSpellings() });
    }
    return mode === undefined ? [] : [mode.name];
  });
  const shapes = (flags.models ?? entryFor(section, flags.chips ?? 1).models).flatMap((name) => {
    const shape = Object.hasOwn(models, name) ? models[name] : undefined;
    if (shape === undefined) {
      faults.push({
        place: '--model',
        problem: `there is no size "${name}"`,
        expected: nearest(name, Object.keys(models)) ?? 'a size of `superoffload models`',
      });
    }
    return shape === undefined ? [] : [shape];
  });
  return { modes: [...new Set(chosenModes)], shapes: [...new Set(shapes)], faults };
}

function chooseBatch(section: GridSection, flags: GridFlags): ReturnType<typeof resolveBatch> {
  const { chips = 1, sequenceParallel = 1 } = flags;
  const given = flags.microBatch !== undefined || flags.globalBatch !== undefined;
  return resolveBatch({
    chips,
    sequenceParallel,
    ...(flags.microBatch === undefined ? {} : { microBatch: flags.microBatch }),
    ...(flags.globalBatch === undefined ? {} : { globalBatch: flags.globalBatch }),
    ...(given ? {} : { globalBatch: defaultGlobalBatch(section, chips, sequenceParallel) }),
  });
}

/** The entry of the largest listed number of chips up to `chips`, or of the smallest one listed. */
function entryFor({ byChips }: GridSection, chips: number): ChipsEntry {
  const listed = Object.keys(byChips)
    .map(Number)
    .sort((a, b) => a - b);
  const key = listed.filter((count) => count <= chips).at(-1) ?? listed[0] ?? chips;
  return { chips: key, ...(byChips[String(key)] ?? { globalBatch: chips, models: [] }) };
}

/**
 * Exact where listed, else scaled so that every rank has as much to do. Ranks that share a sequence have as much to
 * do with as many fewer sequences.
 */
function defaultGlobalBatch(section: GridSection, chips: number, sequenceParallel: number): number {
  const entry = entryFor(section, chips);
  if (entry.chips === chips && sequenceParallel === 1) return entry.globalBatch;
  const dataParallel = Math.max(1, Math.floor(chips / sequenceParallel));
  return Math.max(1, Math.floor(entry.globalBatch / entry.chips)) * dataParallel;
}

function buildCase(
  choice: Choice,
  mode: ModeName,
  model: ModelShape,
  batch: Pick<Case, 'microBatch' | 'globalBatch' | 'gradientAccumulation'>,
): Case {
  const { experiment, section, flags, overrides } = choice;
  const { gradient_clipping: clipping, ...others } = overrides;
  // A clip that is no number stays where the check against DeepSpeed's keys will name it.
  const deepspeedOverrides = typeof clipping === 'number' || clipping === undefined ? others : overrides;
  return {
    experiment: experiment.name,
    workload: flags.workload ?? 'builtin',
    mode,
    model,
    chips: flags.chips ?? 1,
    sequenceParallel: flags.sequenceParallel ?? 1,
    ...batch,
    sequenceLength: flags.sequenceLength ?? section.sequenceLength,
    activationCheckpointing: flags.activationCheckpointing ?? section.activationCheckpointing,
    activationOffload: flags.activationOffload ?? false,
    attention: flags.attention ?? 'sdpa',
    fp16LmCrossEntropy: flags.fp16LmCrossEntropy ?? false,
    dtype: flags.dtype ?? section.dtype,
    ratio: modes[mode].defaultRatio === null ? null : (flags.ratio ?? modes[mode].defaultRatio),
    gradientClipping:
      typeof clipping === 'number' ? clipping : (flags.gradientClipping ?? section.gradientClipping),
    dropout: flags.dropout ?? section.dropout,
    steps: flags.steps ?? section.steps,
    seed: flags.seed ?? section.seed,
    dataPath: flags.dataPath ?? null,
    vocabFile: flags.vocabFile ?? null,
    mergeFile: flags.mergeFile ?? null,
    deepspeedOverrides,
  };
}

function skip(testCase: Case, { system, flags }: Choice): SkippedCase | null {
  const mode = modes[testCase.mode];
  if (mode.needsCuda && system.accelerator !== 'cuda') {
    const reason = `${mode.title} needs an NVIDIA GPU: DeepSpeed refuses it on any other accelerator`;
    const askedFor = (flags.modes ?? []).some((name) => findMode(name)?.name === mode.name);
    return { case: testCase, kind: 'needs-cuda', reason, askedFor };
  }
  if (flags.models !== undefined) return null;
  const { lacks } = fits(estimateMemory(testCase, system), system);
  return lacks === null ? null : { case: testCase, kind: 'memory', reason: lacks, askedFor: false };
}
