import { canonicalJson, shortHash } from '../experiment/case-id.ts';
import type { RunRecord } from './record.ts';

/** The name under which an A/B's runs are stored: they are launches of a comparison, not of an experiment. */
export const abExperiment = 'gate-ab';

/** Whether a run was one side of `gate --ab`: it may have had an environment that its case does not say. */
export function isAbLaunch({ experiment }: Pick<RunRecord, 'experiment'>): boolean {
  return experiment === abExperiment;
}

/**
 * The case id of a side: the words of the case, and digits of its own, so that nothing that goes by the id takes a side
 * for the plain case or for the other side.
 * @param env what the side sets in the run's environment
 */
export function abCaseId(caseId: string, env: Readonly<Record<string, string>>): string {
  return `${caseId.slice(0, caseId.lastIndexOf('-'))}-${shortHash(canonicalJson([abExperiment, caseId, env]))}`;
}
