/**
 * The iteration line of Megatron-LM, Megatron-DeepSpeed and the built-in trainer.
 * Fields come and go between versions, so they are read by name. Several ranks write into one log and a crash
 * cuts lines, so a line counts only when it is whole: head, every known field a pure number, none twice, a
 * closing bar. Anything else that looks like one is `damaged`, and none of its numbers is used.
 */
import type { IterationEvent, LogEvent } from '../events.ts';
import { readDecimal } from './decimal.ts';

const fieldNames = [
  'elapsed time per iteration (ms)',
  'elapsed time per iteration (s)',
  'learning rate',
  'lm loss',
  'loss scale',
  'grad norm',
  'global batch size',
  'actual seqlen',
  'number of skipped iterations',
  'number of nan iterations',
  'samples per second',
  'TFLOPs',
  'throughput per GPU (TFLOP/s/GPU)',
] as const;
type FieldName = (typeof fieldNames)[number];
const place = Object.fromEntries(fieldNames.map((name, index) => [name, index])) as Record<FieldName, number>;

/** Newer Megatron-LM puts ` [2026-01-31 12:00:00.000000]` before the word. */
const head = /^ ?(?:\[\d{4}-[^\]]*\] ?)? ?iteration +(\d+)\/ *(\d+) \|/;
/** The same somewhere inside a line: two writers met. */
const strayHead = /iteration +\d+\/ *\d+ \|/;
const plain = /^ *[-+.0-9][0-9.eE+-]* *$/;

/** @param text a line without launcher prefix */
export function parseIterationLine(text: string): LogEvent | undefined {
  if (!text.includes('iteration ')) return undefined;
  const start = head.exec(text);
  if (start === null) return strayHead.test(text) ? { type: 'damaged' } : undefined;
  const fields = readFields(text, start[0].length);
  if (fields === undefined) return { type: 'damaged' };
  const event = toEvent(Number(start[1]), Number(start[2]), fields);
  return agrees(event, fields) ? event : { type: 'damaged' };
}

/** All fields of a whole iteration line in their order, as text; undefined where it is none or damaged. */
export function iterationFields(text: string): ReadonlyMap<string, string> | undefined {
  if (parseIterationLine(text)?.type !== 'iteration') return undefined;
  const start = head.exec(text);
  const fields = new Map<string, string>([
    ['iteration', start?.[1] ?? ''],
    ['planned iterations', start?.[2] ?? ''],
  ]);
  for (const part of text.slice(start?.[0].length).split('|')) {
    const colon = part.lastIndexOf(':');
    if (colon > 0) fields.set(part.slice(0, colon).trim(), part.slice(colon + 1).trim());
  }
  return fields;
}

/** The value of each known field at its place in `fieldNames`; undefined where the line does not have it. */
type Fields = (number | undefined)[];
const noFields: Fields = fieldNames.map(() => undefined);

interface Column {
  /** What stands before the value: ` lm loss:`. */
  readonly label: string;
  /** Its place in `fieldNames`, -1 for a field that is not used. */
  readonly index: number;
}

/** Columns of the newest line: the next one has the same, and comparing is cheaper than cutting. */
let layout: Column[] = [];

function readFields(text: string, from: number): Fields | undefined {
  const fields = noFields.slice();
  let start = from;
  for (let bar = text.indexOf('|', start), position = 0; bar !== -1; position += 1) {
    let column = layout[position];
    if (column === undefined || !text.startsWith(column.label, start)) {
      column = readColumn(text.slice(start, bar));
      if (column === undefined) return undefined;
      layout = [...layout.slice(0, position), column];
    }
    const { label, index } = column;
    if (index !== -1) {
      const value = readNumber(text, start + label.length, bar);
      if (value === undefined || fields[index] !== undefined) return undefined;
      fields[index] = value;
    }
    start = bar + 1;
    bar = text.indexOf('|', start);
  }
  return start > from && text.slice(start).trim() === '' ? fields : undefined;
}

/** @returns the column that ` name: value ` belongs to, or undefined where no program writes such a one */
function readColumn(text: string): Column | undefined {
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  const name = text.slice(1, colon);
  const index = fieldNames.indexOf(name as FieldName);
  if (index === -1 && (name.length > 60 || name.includes('iteration '))) return undefined;
  return { label: text.slice(0, colon + 1), index };
}

function readNumber(text: string, from: number, to: number): number | undefined {
  const exact = readDecimal(text, from, to);
  if (!Number.isNaN(exact)) return exact;
  const word = text.slice(from, to);
  const value = Number(word);
  // Number() takes hexadecimal and nothing at all for numbers too; a log writes neither.
  if (!Number.isNaN(value)) return plain.test(word) ? value : undefined;
  if (/^ *[-+]?inf(?:inity)? *$/i.test(word)) return word.includes('-') ? -Infinity : Infinity;
  return /^ *[-+]?nan *$/i.test(word) ? NaN : undefined;
}

function toEvent(iteration: number, planned: number, fields: Fields): IterationEvent {
  const seconds = fields[place['elapsed time per iteration (s)']];
  const rate = fields[place['learning rate']];
  const globalBatch = fields[place['global batch size']];
  const event = {
    type: 'iteration' as const,
    iteration,
    plannedIterations: planned,
    stepMs:
      fields[place['elapsed time per iteration (ms)']] ?? (seconds === undefined ? null : seconds * 1000),
    loss: fields[place['lm loss']] ?? null,
    lossScale: fields[place['loss scale']] ?? null,
    gradNorm: fields[place['grad norm']] ?? null,
    globalBatch: globalBatch ?? null,
    sequenceLength: fields[place['actual seqlen']] ?? null,
    skippedIterations: fields[place['number of skipped iterations']] ?? 0,
    nanIterations: fields[place['number of nan iterations']] ?? 0,
    loggedTflops: fields[place['TFLOPs']] ?? fields[place['throughput per GPU (TFLOP/s/GPU)']] ?? null,
  };
  return rate === undefined || globalBatch === undefined ? { ...event, partial: true } : event;
}

/**
 * Two halves of two lines can join into one that looks whole, with a step time glued from both. The line says
 * the same thing twice, as time and as samples a second (of all ranks, or of one of N): where these disagree
 * by more than rounding, neither is believed.
 */
function agrees({ stepMs, globalBatch }: IterationEvent, fields: Fields): boolean {
  const samplesPerSecond = fields[place['samples per second']];
  if (!stepMs || !globalBatch || !samplesPerSecond || samplesPerSecond < 0.05) return true;
  const ranks = (globalBatch * 1000) / (stepMs * samplesPerSecond);
  // Both are rounded in the log; of many ranks, 2% would let any time through.
  const rounding = ranks * (0.05 / stepMs + 0.0005 / samplesPerSecond);
  const tolerance = Math.min(0.02 * ranks, Math.max(0.1, 2 * rounding));
  const whole = Math.round(ranks);
  // A rank of N has at least one sample of the batch.
  return whole >= 1 && whole <= globalBatch && Math.abs(ranks - whole) <= tolerance;
}
