import { systemLabel } from '../results/system-label.ts';
import { canonicalJson, shortHash } from '../experiment/case-id.ts';
import type { Case } from '../experiment/case.ts';
import { isAbLaunch } from '../results/ab-launch.ts';
import type { RunRecord } from '../results/record.ts';

/** What a reference is for: system, mode, size, chips, batch, sequence, and all else that decides the work of a step. */
export interface GateCase {
  readonly system: string;
  readonly workload: string;
  readonly mode: string;
  /** null where the size is what was searched for. */
  readonly model: string | null;
  readonly chips: number;
  readonly globalBatch: number | null;
  readonly microBatch: number | null;
  readonly sequenceLength: number | null;
  readonly dtype: string | null;
  readonly activationCheckpointing: boolean | null;
  /** Eight hex digits over the rest: attention, ratio, clipping, overrides; not steps, seed, experiment. */
  readonly settings: string | null;
}

/**
 * A side of an A/B is a case of its own: its environment may differ where the case does not.
 * @returns the case of a record as references name it; a command of the user's is named by its case id.
 */
export function gateCaseOf(record: RunRecord): GateCase {
  const base = { system: systemLabel(record.system), chips: record.worldSize };
  const subject = record.case;
  if (subject === null) {
    const none = { globalBatch: null, microBatch: null, sequenceLength: null, dtype: null };
    const rest = { activationCheckpointing: null, settings: null };
    return { ...base, workload: record.workload, mode: 'command', model: record.caseId, ...none, ...rest };
  }
  const { mode, model, workload, globalBatch, microBatch, sequenceLength, dtype } = subject;
  const { activationCheckpointing } = subject;
  const named = { workload, mode, globalBatch, microBatch, sequenceLength, dtype, activationCheckpointing };
  return { ...base, ...named, model: model.name, settings: settingsOf(subject, true, sideOf(record)) };
}

function sideOf(record: RunRecord): string | undefined {
  return isAbLaunch(record) ? record.caseId : undefined;
}

/** @returns the case of a search for the largest size: all but the size; null of a command. */
export function searchCaseOf(record: RunRecord): GateCase | null {
  if (record.case === null) return null;
  return { ...gateCaseOf(record), model: null, settings: settingsOf(record.case, false) };
}

/** What a {@link GateCase} does not name, and what changes no step: those are left out. */
const elsewhere: Readonly<Record<string, undefined>> = Object.fromEntries(
  [
    ...['workload', 'mode', 'chips', 'globalBatch', 'microBatch', 'gradientAccumulation', 'sequenceLength'],
    ...['dtype', 'activationCheckpointing', 'experiment', 'steps', 'seed'],
  ].map((name) => [name, undefined]),
);

function settingsOf(subject: Case, withShape: boolean, side?: string): string {
  const { layers, hidden, heads, paddedVocabulary } = subject.model;
  const model = withShape ? { layers, hidden, heads, paddedVocabulary } : undefined;
  return shortHash(canonicalJson({ ...subject, ...elsewhere, model, side }));
}

/** Equal for equal cases; the fields in one order. */
export function keyOf(subject: GateCase): string {
  return JSON.stringify([
    subject.system,
    subject.workload,
    subject.mode,
    subject.model,
    subject.chips,
    subject.globalBatch,
    subject.microBatch,
    subject.sequenceLength,
    subject.dtype,
    subject.activationCheckpointing,
    subject.settings,
  ]);
}

/** One line for a person: `zero_offload, 2B, 1 chip, batch 8, sequence 1024, bf16, on gh200`. */
export function caseTitle(subject: GateCase): string {
  const { mode, model, chips, globalBatch, microBatch, sequenceLength, dtype, workload } = subject;
  const accumulates = microBatch !== null && globalBatch !== null && microBatch * chips < globalBatch;
  return [
    ...(workload === 'builtin' || mode === 'command' ? [] : [workload]),
    mode,
    ...(model === null ? [] : [model]),
    `${chips} ${chips === 1 ? 'chip' : 'chips'}`,
    ...(globalBatch === null ? [] : [`batch ${globalBatch}${accumulates ? ` (micro ${microBatch})` : ''}`]),
    ...(sequenceLength === null ? [] : [`sequence ${sequenceLength}`]),
    ...(dtype === null ? [] : [dtype]),
    ...(subject.activationCheckpointing === true ? ['recomputation'] : []),
    `on ${subject.system}`,
  ].join(', ');
}
