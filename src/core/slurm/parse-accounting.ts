import { parseExit, parseState, wordOrNull, type JobFacts } from './job-facts.ts';

/** `sacct -n -P -X -o`: the job's name is last, since it may hold a bar. */
export const sacctFormat = 'JobID,State,ExitCode,NodeList,Reason,JobName';

/** Lines of `sacct -n -P -X`. */
export function parseSacct(text: string): JobFacts[] {
  return text.split('\n').flatMap((line) => {
    const [jobId = '', state = '', exit = '', nodes = '', reason = '', ...name] = line.split('|');
    if (!/^\d+(?:_\d+)?$/.test(jobId) || state === '') return [];
    return [
      {
        jobId,
        name: name.join('|'),
        ...parseState(state),
        reason: wordOrNull(reason),
        exit: parseExit(exit),
        nodes: wordOrNull(nodes) ?? '',
        restarts: null,
      },
    ];
  });
}

/** What sacct calls a job that it does not yet know in whole. */
const unnamed = 'allocation';

/** A controller that lost its state gives ids a second time: then sacct tells of the newer job, for ever. */
export function isOfAnother({ name }: JobFacts, wanted: string): boolean {
  return name !== wanted && name !== unnamed;
}

/**
 * Whether sacct's word can be taken for the end of a job. For some seconds after an end, and after the database was
 * away, it shows a job named `allocation` that is still pending, or one that failed with status 0.
 */
export function isSettled(facts: JobFacts, name: string): boolean {
  if (facts.name !== name) return false;
  const isHollow = facts.state === 'FAILED' && facts.exit?.status === 0 && facts.exit.signal === 0;
  return !isHollow;
}
