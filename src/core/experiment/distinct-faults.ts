import type { Fault } from '../../errors.ts';

/** Each fault once: cases of one grid share most of what can be wrong with them. */
export function distinctFaults(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [`${fault.place}\n${fault.problem}`, fault])).values()];
}
