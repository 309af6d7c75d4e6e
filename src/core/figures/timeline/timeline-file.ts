/** Milliseconds from the beginning of the step. */
export interface Interval {
  readonly beginMs: number;
  readonly endMs: number;
}

const phaseNames = ['forward', 'backward', 'step'] as const;

/** What the host does: the engine's forward, backward and step. */
export interface Phase extends Interval {
  readonly name: (typeof phaseNames)[number] | 'other';
}

export type CopyDirection = 'down' | 'up' | 'within' | 'other';

/** One copy that the GPU's driver reported. */
export interface Copy extends Interval {
  /** `down`: from the GPU to the host; `within`: on the GPU. */
  readonly direction: CopyDirection;
  /** Host memory that is not page-locked: the driver copies it in pieces, far below the link's rate. */
  readonly isPageable: boolean;
  readonly bytes: number;
}

/** What the host does besides, by the names that the trainer writes (experiment/trainer/notes.py). */
const noteNames = [
  'gradients',
  'parameters',
  'gradient pass',
  'queue to worker',
  'queue from worker',
  'worker copy',
  'wait for worker',
  'wait for Adam',
  'wait for GPU',
  'wait for copies',
] as const;
export type NoteName = (typeof noteNames)[number];

/** A copy or cast in host memory, a subgroup's way to or from SuperOffload's worker, a thread of the training that waits. */
export interface Note extends Interval {
  readonly name: NoteName;
}

/** `timeline.json` of a run (experiment/trainer/timeline.py): what happened within one step of rank 0. */
export interface Timeline {
  /** Counted from 1. */
  readonly iteration: number;
  readonly stepMs: number;
  readonly phases: readonly Phase[];
  /** The GPU's kernels, those that follow one another at once joined. */
  readonly compute: readonly Interval[];
  readonly copies: readonly Copy[];
  /** Each CPU Adam, also that of SuperOffload's worker. */
  readonly adam: readonly Interval[];
  /** CPU Adam's own thread, or SuperOffload's worker, that waits for gradients; empty where Adam has neither. */
  readonly waits: readonly Interval[];
  /** null in files of trainers that did not write any. */
  readonly notes: readonly Note[] | null;
}

export type ReadTimeline =
  | { readonly ok: true; readonly timeline: Timeline }
  /** For a person. */
  | { readonly ok: false; readonly problem: string };

/** A step of one that is recomputed in many pieces has some ten thousand; more is no timeline of ours. */
const maxEntries = 2_000_000;

type Entry = readonly unknown[];

/** Checks a JSON value and takes what lies within the step. */
export function readTimeline(value: unknown): ReadTimeline {
  if (!isFields(value) || typeof value['schemaVersion'] !== 'number')
    return refused('it is no timeline of a step');
  if (value['schemaVersion'] > 1)
    return refused(`its schema version ${value['schemaVersion']} is newer than 1, the newest known here`);
  const { iteration, stepMs } = value;
  if (!isCount(iteration) || !isTime(stepMs) || stepMs === 0)
    return refused('it has no step, or no time of it');
  const lists = ['phases', 'compute', 'copies', 'adam', 'waits'].map((name) => listOf(value[name]));
  const [phases, compute, copies, adam, waits] = lists;
  if (
    phases === undefined ||
    compute === undefined ||
    copies === undefined ||
    adam === undefined ||
    waits === undefined
  )
    return refused('it lacks phases, compute, copies, adam or waits');
  const notes = listOf(value['notes']);
  const within = <T extends Interval>(intervals: readonly (T | null)[]): T[] =>
    intervals.flatMap((each) => (each === null ? [] : clipped(each, stepMs)));
  return {
    ok: true,
    timeline: {
      iteration,
      stepMs,
      phases: within(phases.map(([name, ...rest]) => phaseOf(name, rest))),
      compute: within(compute.map(intervalOf)),
      copies: within(copies.map(([kind, ...rest]) => copyOf(kind, rest))),
      adam: within(adam.map(intervalOf)),
      waits: within(waits.filter(isWait).map(intervalOf)),
      notes: notes === undefined ? null : within(notes.map(([name, ...rest]) => noteOf(name, rest))),
    },
  };
}

function refused(problem: string): ReadTimeline {
  return { ok: false, problem };
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** @returns undefined where it is no list of lists */
function listOf(value: unknown): readonly Entry[] | undefined {
  if (!Array.isArray(value) || value.length > maxEntries) return undefined;
  return value.every((each) => Array.isArray(each)) ? (value as readonly Entry[]) : undefined;
}

/** @returns null for what is no time: it is not drawn */
function intervalOf([begin, end]: Entry): Interval | null {
  const isNumber = typeof begin === 'number' && typeof end === 'number';
  return isNumber && Number.isFinite(begin) && Number.isFinite(end) && end >= begin
    ? { beginMs: begin, endMs: end }
    : null;
}

function phaseOf(name: unknown, rest: Entry): Phase | null {
  const interval = intervalOf(rest);
  const known = phaseNames.find((each) => each === name);
  return interval === null ? null : { ...interval, name: known ?? 'other' };
}

/** @returns null for what a newer trainer notes */
function noteOf(name: unknown, rest: Entry): Note | null {
  const interval = intervalOf(rest);
  const known = noteNames.find((each) => each === name);
  return interval === null || known === undefined ? null : { ...interval, name: known };
}

/** What an optimizer notes has a name in newer files: `wait for gradients`. */
function isWait([, , , what]: Entry): boolean {
  return what === undefined || (typeof what === 'string' && what.startsWith('wait'));
}

/** @param kind by CUPTI's name: `Memcpy DtoH (Device -> Pageable)` */
function copyOf(kind: unknown, rest: Entry): Copy | null {
  const interval = intervalOf(rest);
  const bytes = rest[2];
  if (interval === null || typeof kind !== 'string') return null;
  return {
    ...interval,
    direction: directionOf(kind),
    isPageable: /pageable/i.test(kind),
    bytes: isTime(bytes) ? bytes : 0,
  };
}

/** CUDA's names, and ROCm's (`CopyDeviceToHost`). */
function directionOf(kind: string): CopyDirection {
  if (/DtoH|DeviceToHost/i.test(kind)) return 'down';
  if (/HtoD|HostToDevice/i.test(kind)) return 'up';
  return /DtoD|DeviceToDevice/i.test(kind) ? 'within' : 'other';
}

/** What of it lies within the step: a kernel of the step before may still run at its beginning. */
function clipped<T extends Interval>(interval: T, stepMs: number): T[] {
  const beginMs = Math.max(0, interval.beginMs);
  const endMs = Math.min(stepMs, interval.endMs);
  return endMs < beginMs ? [] : [{ ...interval, beginMs, endMs }];
}
