import { canonicalJson } from '../../experiment/case-id.ts';
import { memorySettings } from '../propose/variants.ts';
import type { Candidate } from '../tuning.ts';

/**
 * Whether a candidate does nothing but save memory against another of its mode: smaller micro-batches, recomputation, or
 * a setting that is there for memory, with no more of the optimizer on the GPU for it. It is worth a trial only where
 * the other cannot run.
 */
export function isFallbackOf(candidate: Candidate, other: Candidate): boolean {
  const [own, fuller] = [candidate.subject, other.subject];
  if (own.mode !== fuller.mode || own.model.name !== fuller.model.name) return false;
  if (candidate.bindCores !== other.bindCores || candidate.orderMs < other.orderMs) return false;
  const isNoMore =
    own.microBatch <= fuller.microBatch &&
    (own.activationCheckpointing || !fuller.activationCheckpointing) &&
    (own.activationOffload || !fuller.activationOffload) &&
    (own.ratio ?? 1) >= (fuller.ratio ?? 1);
  if (!isNoMore || !isSameButMemory(candidate, other)) return false;
  return savingsOf(candidate) > savingsOf(other) || own.microBatch < fuller.microBatch;
}

/** How many ways to save memory a candidate takes. */
function savingsOf({ subject }: Candidate): number {
  const settings = Object.keys(subject.deepspeedOverrides).filter((key) =>
    isMemorySetting(subject.deepspeedOverrides, key),
  );
  return settings.length + (subject.activationCheckpointing ? 1 : 0) + (subject.activationOffload ? 1 : 0);
}

function isSameButMemory(a: Candidate, b: Candidate): boolean {
  const saved = (one: Candidate): Record<string, unknown> => pick(one, true);
  const rest = (one: Candidate): string => canonicalJson(pick(one, false));
  return rest(a) === rest(b) && Object.entries(saved(b)).every(([key, value]) => saved(a)[key] === value);
}

function pick({ subject: { deepspeedOverrides } }: Candidate, memory: boolean): Record<string, unknown> {
  const kept = Object.entries(deepspeedOverrides).filter(
    ([key]) => isMemorySetting(deepspeedOverrides, key) === memory,
  );
  return Object.fromEntries(kept);
}

function isMemorySetting(overrides: Readonly<Record<string, unknown>>, key: string): boolean {
  return Object.hasOwn(memorySettings, key) && memorySettings[key] === overrides[key];
}
