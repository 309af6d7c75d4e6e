/**
 * What the controller says, by squeue (one call for any number of jobs) and by scontrol (one job a call, with one
 * field more). Text formats: the JSON of 22.05 and 24.11 differ in shape, and 22.05 has none of scontrol.
 */
import { exitOfWaitStatus, parseExit, parseState, wordOrNull, type JobFacts } from './job-facts.ts';

/** `squeue --Format`: without a width a field is cut at 20 characters; the bar behind it makes it whole. */
export const squeueFormat = 'JobArrayID:|,State:|,Reason:|,exit_code:|,RestartCnt:|,NodeList:|,Name:|';

/** Lines of `squeue -h -t all -r -O` {@link squeueFormat}. Anything else in the text is passed over. */
export function parseSqueue(text: string): JobFacts[] {
  return text.split('\n').flatMap((line) => {
    const [jobId = '', state = '', reason = '', exit = '', restarts = '', nodes = '', ...name] =
      line.split('|');
    if (!/^\d+(?:_\d+)?$/.test(jobId) || !/^[A-Z_]+$/.test(state)) return [];
    return [
      {
        jobId,
        // A name may hold a bar; the last field ends with one.
        name: name.slice(0, -1).join('|'),
        ...parseState(state),
        reason: wordOrNull(reason),
        exit: /^\d+$/.test(exit) ? exitOfWaitStatus(Number(exit)) : parseExit(exit),
        nodes: wordOrNull(nodes) ?? '',
        restarts: /^\d+$/.test(restarts) ? Number(restarts) : null,
      },
    ];
  });
}

/** Lines of `scontrol show job -o`: a job each, of an array a task each. */
export function parseScontrol(text: string): JobFacts[] {
  return text.split('\n').flatMap((line) => {
    const fields = scontrolFields(line);
    const jobId = fields.get('JobId');
    const state = fields.get('JobState');
    if (jobId === undefined || state === undefined) return [];
    const array = fields.get('ArrayJobId');
    const restarts = fields.get('Restarts') ?? '';
    return [
      {
        jobId: array === undefined ? jobId : `${array}_${fields.get('ArrayTaskId') ?? ''}`,
        name: fields.get('JobName') ?? '',
        ...parseState(state),
        reason: wordOrNull(fields.get('Reason') ?? ''),
        exit: parseExit(fields.get('ExitCode') ?? ''),
        nodes: wordOrNull(fields.get('NodeList') ?? '') ?? '',
        restarts: /^\d+$/.test(restarts) ? Number(restarts) : null,
      },
    ];
  });
}

/** Values may hold blanks and `=` (comments, commands): a field begins with a known shape, and the first one counts. */
export function scontrolFields(line: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, name = '', value = ''] of line.matchAll(
    /(?:^|\s)([A-Z][A-Za-z:/_]*)=(.*?)(?=\s[A-Z][A-Za-z:/_]*=|\s*$)/g,
  )) {
    if (!fields.has(name)) fields.set(name, value);
  }
  return fields;
}
