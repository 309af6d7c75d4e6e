import { groupBy } from '../../collections/group-by.ts';
import type { Subject, TracedMachine, TracedRun } from './traced-run.ts';

/** What one picture shows: runs of one machine. */
export interface PictureRuns {
  readonly machine: TracedMachine;
  readonly runs: readonly TracedRun[];
}

/**
 * Which runs stand in which picture. Runs that somebody named one by one are all drawn, in that order, a picture for each
 * machine; of others those of one case, and of these the newest of each mode, the slowest first.
 * @param runs oldest first where nobody named them
 */
export function pictureRuns(runs: readonly TracedRun[], areNamed: boolean): PictureRuns[] {
  const known = withNames(runs);
  const groups = groupBy(known, (run) =>
    areNamed ? run.machine.name : `${run.machine.name} ${subjectKey(run.subject)}`,
  );
  return [...groups.values()].flatMap((own) => {
    const shown = areNamed ? own : newestOfEachMode(own);
    const newest = shown.at(-1);
    return newest === undefined ? [] : [{ machine: newest.machine, runs: shown }];
  });
}

/** A log without a record is of the machine and the size that a record beside it knows. */
function withNames(runs: readonly TracedRun[]): TracedRun[] {
  return runs.map((run) => {
    const { subject, machine } = run;
    const named = runs.find(
      (each) => each.subject.size !== null && each.subject.parameters === subject.parameters,
    );
    const known = runs.find(
      (each) => each.machine.profile !== null && each.machine.device === machine.device,
    );
    return {
      ...run,
      subject: { ...subject, size: subject.size ?? named?.subject.size ?? null },
      machine: machine.profile !== null ? machine : (known?.machine ?? machine),
    };
  });
}

/** Whether activations are recomputed is a part of how a mode is run, and told of in its row. */
function subjectKey({ parameters, chips, globalBatch, sequenceLength, dtype }: Subject): string {
  return [parameters, chips, globalBatch, sequenceLength, dtype].join(' ');
}

/** The slowest first: what each does better than the one above it is seen at once. */
function newestOfEachMode(runs: readonly TracedRun[]): TracedRun[] {
  const newest = new Map(runs.map((run) => [modeKey(run), run]));
  return [...newest.values()].sort((a, b) => b.timeline.stepMs - a.timeline.stepMs);
}

function modeKey({ mode, title, ratio, settings, subject }: TracedRun): string {
  return [mode ?? title, ratio, settings, subject.isRecomputed].join(' ');
}
