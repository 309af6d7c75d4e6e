import { csvText, type CsvCell } from '../../../text/csv.ts';
import { partKeys, type TimelineData } from '../../timeline/timeline-data.ts';

const csvHead = [
  'run',
  'mode',
  'title',
  'system',
  'functional',
  'iteration',
  'step_ms',
  'lane',
  'kind',
  'ms',
  'share',
  'from_ms',
  'to_ms',
  'bytes',
  'gb_per_s',
];

/** CSV: a line for each lane, one for each kind of interval in it, one for each part of the step and for each bound. */
export function timelineCsv({ rows, system, functional }: TimelineData): string {
  return csvText(
    csvHead,
    rows.flatMap((row) => {
      const { runId, mode, title, iteration, stepMs, lanes, bounds, partMs } = row;
      const line = (...cells: readonly CsvCell[]): CsvCell[] => {
        return [runId, mode, title, system.name, functional, iteration, stepMs, ...cells];
      };
      const bound = (name: string, ms: number): CsvCell[] =>
        line('bound', name, ms, ms / stepMs, null, null, null, null);
      return [
        ...lanes.flatMap(({ key, busyMs, share, fromMs, toMs, groups }) => [
          line(key, null, busyMs, share, fromMs, toMs, null, null),
          ...groups.map(({ kind, ms, bytes, gbps }) =>
            line(key, kind, ms, ms / stepMs, null, null, bytes, gbps),
          ),
        ]),
        ...partKeys.flatMap((key) => {
          const ms = partMs[key];
          return ms === null ? [] : [line('part', key, ms, ms / stepMs, null, null, null, null)];
        }),
        ...(bounds === null
          ? []
          : [
              bound('compute', bounds.computeMs),
              bound('host memory', bounds.hostMs),
              bound('link', bounds.linkMs),
              bound('step', bounds.dependentMs),
            ]),
      ];
    }),
  );
}
