import type { RunEvent } from './run-event.ts';

/** What outlived a run, as its record says it: the next measurement on those machines shares them with it. */
export function leftBehindWarnings(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type !== 'left-behind') return [];
    const { pids, host, port, gpuPids = [], problem } = event;
    const what = [
      ...(pids.length === 0 ? [] : [`processes ${pids.join(', ')} of the run`]),
      ...(gpuPids.length === 0 ? [] : [`processes ${gpuPids.join(', ')} on its GPUs`]),
      ...(port === undefined ? [] : [`somebody listening on its port ${port}`]),
    ];
    const where = host === undefined ? '' : ` on ${host}`;
    return [
      ...(what.length === 0 ? [] : [`left behind${where}: ${what.join(', ')}`]),
      ...(problem === undefined ? [] : [`nobody could look at what was left${where}: ${problem}`]),
    ];
  });
}
