import type { Case } from '../experiment/case.ts';
import type { PlannedData } from './run-plan.ts';

/** A longer run goes over its data again: 16 Mi tokens are more than any benchmark learns by heart. */
const maxSyntheticTokens = 2 ** 24;

/**
 * What a synthetic data set for a case is: every sequence of the run where that is not too much, at least one sample,
 * rounded up to a power of two so that cases of many lengths share one.
 */
export function syntheticRequest(subject: Case): NonNullable<PlannedData['synthetic']> {
  const { model, steps, globalBatch, sequenceLength, seed } = subject;
  const wanted = Math.min(steps * globalBatch * sequenceLength + 1, maxSyntheticTokens);
  const tokens = 2 ** Math.ceil(Math.log2(Math.max(wanted, tokensOfSample(subject))));
  return { vocabulary: model.paddedVocabulary, tokens, seed };
}

/** A sequence and the token that its last one is to predict. */
function tokensOfSample({ sequenceLength }: Pick<Case, 'sequenceLength'>): number {
  return sequenceLength + 1;
}

/**
 * @param syntheticPrefix where a synthetic set for this case lies, or will.
 * @returns null where the training script generates its data itself.
 */
export function plannedData(subject: Case, syntheticPrefix: string): PlannedData | null {
  if (subject.dataPath === null && subject.workload === 'builtin') return null;
  return {
    prefix: subject.dataPath ?? syntheticPrefix,
    vocabulary: subject.model.paddedVocabulary,
    tokens: tokensOfSample(subject),
    synthetic: subject.dataPath === null ? syntheticRequest(subject) : null,
  };
}
