import type { KnownRates } from './rates.ts';
import type { TimelineRow } from './timeline-data.ts';

interface NoteInputs {
  readonly rates: KnownRates | { readonly missing: readonly string[] } | null;
  readonly functional: boolean;
}

/** What is said below the picture: which steps these are, where the limits come from, what is lacking. */
export function timelineNotes(rows: readonly TimelineRow[], { rates, functional }: NoteInputs): string[] {
  return [...rows.map(stepNote), ...(functional ? [] : ratesNotes(rates)), ...rows.flatMap(boundNotes)];
}

/** `ZeRO-Offload: step 8 of 2026...; the median of the run is 1152 ms`. */
function stepNote({ title, iteration, runId, usualStepMs }: TimelineRow): string {
  const run = runId === null ? 'a run without a record' : runId;
  const usual =
    usualStepMs === null ? '' : `; a step of the run takes ${Math.round(usualStepMs)} ms (median)`;
  return `${title}: step ${iteration} of ${run}${usual}.`;
}

function ratesNotes(rates: NoteInputs['rates']): string[] {
  if (rates === null) return [];
  if ('missing' in rates)
    return [
      `No limits: nobody measured ${rates.missing.join(', ')} of this machine; bench/overlap_limits.py measures them, and --limits FILE takes what it wrote.`,
    ];
  const meaning =
    'Bound: a forward pass, then CPU Adam beside all copies, or the GPU alone where that is longer.';
  return [meaning, `Rates: ${rates.source}.`, ...rates.lacks.map((lack) => `${lack}.`)];
}

/** A limit that was beaten is of another machine. */
function boundNotes({ title, bounds, stepMs }: TimelineRow): string[] {
  return bounds !== null && stepMs < bounds.dependentMs
    ? [
        `${title}: the step is shorter than its bound: the rates are not those of this machine, or of this case.`,
      ]
    : [];
}
