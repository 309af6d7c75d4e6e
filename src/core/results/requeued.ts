import type { RunEvent } from './run-event.ts';

/** What a record says of a job that did not run in one piece. */
export function requeuedWarnings(events: readonly RunEvent[]): string[] {
  const restarts = Math.max(0, ...events.map((event) => (event.type === 'requeued' ? event.restarts : 0)));
  if (restarts === 0) return [];
  const times = restarts === 1 ? 'once' : `${restarts} times`;
  return [
    `Slurm put its job back into the queue ${times} (requeue): this is its last life, and what it reached before is not counted`,
  ];
}
