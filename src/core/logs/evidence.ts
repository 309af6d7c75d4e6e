/**
 * Evidence: lines that say why a run ended. What it is worth (before or after the first iteration, against the
 * evidence of another rank, against the exit status) is decided in outcome.ts, not here.
 */
import type { EvidenceRule } from './evidence-rule.ts';
import { overlapEvidence } from './evidence-overlap.ts';
import { generalEvidence } from './evidence-table.ts';

/** All rules: the first hit speaks. */
export const evidenceRules: readonly EvidenceRule[] = [...overlapEvidence, ...generalEvidence];

const needles = [...new Set(evidenceRules.flatMap((each) => each.needles))];

/** Every substring that makes a line worth a closer look. */
export const evidenceNeedles: readonly string[] = [...needles, 'Traceback (most recent call last)'];

/**
 * @param text a line without launcher prefix
 * @param afterPinning whether a frame that pins host memory stands right above
 */
export function findEvidence(text: string, afterPinning: boolean): EvidenceRule | undefined {
  return evidenceRules.find(
    (each) => (each.afterPinning !== true || afterPinning) && each.pattern.test(text),
  );
}
