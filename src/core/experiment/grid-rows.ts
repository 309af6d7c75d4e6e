import type { Fault } from '../../errors.ts';
import { findMode, modes, modeSpellings } from '../deepspeed/modes/registry.ts';
import { parseOverrides } from '../deepspeed/overrides.ts';
import type { ModeName } from './case.ts';
import type { ExperimentFile, ExperimentRow, GridSection } from './experiment-file.schema.ts';
import { entryFor, type ChipsEntry } from './grid-batch.ts';
import type { GridFlags } from './grid-flags.ts';

/** What each size is run as: a mode, and settings that are this row's alone. */
export interface GridRow {
  readonly mode: ModeName;
  /** The row's settings, with what a flag says in their place. */
  readonly flags: GridFlags;
  readonly overrides: Readonly<Record<string, unknown>>;
  /** Whether the size is run so. */
  readonly has: (model: string) => boolean;
}

interface GridRows {
  readonly rows: readonly GridRow[];
  /** Of `--mode`. */
  readonly modeFaults: readonly Fault[];
  /** Of the rows, and of `--ds`. */
  readonly faults: readonly Fault[];
}

/** The rows that an experiment lists, else a row for each of its modes; of those that `--mode` names where it does. */
export function gridRows(experiment: ExperimentFile, section: GridSection, flags: GridFlags): GridRows {
  const entry = entryFor(section, flags.chips ?? 1);
  const chosen = chooseModes(flags.modes ?? entry.modes ?? section.modes);
  const parsed = parseOverrides(flags.deepspeedOverrides ?? []);
  const modeFaults = chosen.faults;
  const faults = parsed.ok ? [] : [...parsed.faults];
  const overrides = parsed.ok ? parsed.overrides : {};
  if (section.rows === undefined) {
    const rows = chosen.modes.map((mode) => ({ mode, flags, overrides, has: () => true }));
    return { rows, modeFaults, faults };
  }
  faults.push(...rowFaults(experiment.name, section.rows, entry, flags, chosen.modes));
  const wanted = flags.modes === undefined ? null : new Set<string>(chosen.modes);
  const rows = section.rows
    .filter(({ mode }) => wanted === null || wanted.has(mode))
    .map((row) => gridRow(row, flags, overrides));
  return { rows, modeFaults, faults };
}

/** One row of an experiment with what flags say of it. */
export function gridRow(row: ExperimentRow, flags: GridFlags, overrides: GridRow['overrides']): GridRow {
  const { mode, models, deepspeed = {} } = row;
  return {
    mode,
    flags: { ...settingsOf(row), ...flags },
    overrides: { ...deepspeed, ...overrides },
    has: (model) => models === undefined || models.includes(model),
  };
}

/** What of a row a flag could say too. */
function settingsOf(row: ExperimentRow): GridFlags {
  const { microBatch, globalBatch, sequenceLength, activationCheckpointing, ratio, gradientClipping, steps } =
    row;
  const settings = {
    microBatch,
    globalBatch,
    sequenceLength,
    activationCheckpointing,
    ratio,
    gradientClipping,
    steps,
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** What would be passed over in silence: keys that belong to a flag, sizes that nothing runs, modes that no row has. */
function rowFaults(
  name: string,
  rows: readonly ExperimentRow[],
  entry: ChipsEntry,
  flags: GridFlags,
  chosen: readonly ModeName[],
): Fault[] {
  const faults = rows.flatMap(({ title, mode, models = [], deepspeed = {} }, index): Fault[] => {
    const place = `experiment ${name} /rows/${index} (${title})`;
    const keys = Object.entries(deepspeed).filter(([key]) => !isPlainRatio(key, mode));
    const parsed = parseOverrides(keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`));
    const sizes = models.filter((model) => !entry.models.includes(model));
    return [
      ...(parsed.ok ? [] : parsed.faults.map((fault) => ({ ...fault, place: `${place}: ${fault.place}` }))),
      ...sizes.map((model) => ({
        place: `${place}/models`,
        problem: `${model} is no size of this entry`,
        expected: `one of ${entry.models.join(', ')}`,
      })),
    ];
  });
  const there = [...new Set(rows.map(({ mode }) => mode))];
  const absent = flags.modes === undefined ? [] : chosen.filter((mode) => !there.includes(mode));
  return [
    ...faults,
    ...absent.map((mode) => ({
      place: `--mode ${mode}`,
      problem: `no row of ${name} has it`,
      expected: `one of ${there.join(', ')}`,
    })),
  ];
}

/** Of a mode without a ratio of its own no flag says it: DeepSpeed's ZeRO-3 offload has one all the same. */
function isPlainRatio(key: string, mode: ModeName): boolean {
  const { offloadsOptimizer, defaultRatio, zeroStage } = modes[mode];
  const takesRatio = offloadsOptimizer && zeroStage === 3 && defaultRatio === null;
  return takesRatio && key === 'zero_optimization.offload_optimizer.ratio';
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
