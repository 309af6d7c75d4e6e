/**
 * The iteration line of Megatron-LM, Megatron-DeepSpeed and the built-in trainer.
 * Fields come and go between versions, so they are read by name. Several ranks write into one log and a crash
 * cuts lines, so a line counts only when it is whole: head, every known field a pure number, none twice, a
 * closing bar. Anything else that looks like one is `damaged`, and none of its numbers is used.
 */
import type { IterationEvent, LogEvent } from '../events.ts';

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
const known: ReadonlySet<string> = new Set(fieldNames);

/** Newer Megatron-LM puts ` [2026-01-31 12:00:00.000000]` before the word. */
const head = /^ ?(?:\[\d{4}-[^\]]*\] ?)? ?iteration +(\d+)\/ *(\d+) \|/;
/** The same somewhere inside a line: two writers met. */
const strayHead = /iteration +\d+\/ *\d+ \|/;
const plain = /^ *[-+.0-9][0-9.eE+-]* *$/;

/** @param text a line without launcher prefix */
export function parseIterationLine(text: string): LogEvent | undefined {
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

type Fields = Partial<Record<FieldName, number>>;

/** Names of the newest whole line, in order: the next line has the same ones, and comparing is cheaper than cutting. */
let layout: string[] = [];

function readFields(text: string, from: number): Fields | undefined {
  const fields: Fields = {};
  let start = from;
  for (let index = 0, bar = text.indexOf('|', start); bar !== -1; index += 1) {
    let name = layout[index];
    if (
      name === undefined ||
      !text.startsWith(name, start + 1) ||
      text.charCodeAt(start + 1 + name.length) !== 58
    ) {
      const colon = text.indexOf(':', start);
      if (colon === -1 || colon > bar || colon === start) return undefined;
      name = text.slice(start + 1, colon);
      layout = [...layout.slice(0, index), name];
    }
    if (known.has(name)) {
      const value = readNumber(text, start + name.length + 2, bar);
      if (value === undefined || fields[name as FieldName] !== undefined) return undefined;
      fields[name as FieldName] = value;
    } else if (name.length > 60 || name.includes('iteration ')) return undefined;
    start = bar + 1;
    bar = text.indexOf('|', start);
  }
  return start > from && text.slice(start).trim() === '' ? fields : undefined;
}

function readNumber(text: string, from: number, to: number): number | undefined {
  const word = text.slice(from, to);
  const value = Number(word);
  // Number() takes hexadecimal and nothing at all for numbers too; a log writes neither.
  if (!Number.isNaN(value)) return plain.test(word) ? value : undefined;
  if (/^ *[-+]?inf(?:inity)? *$/i.test(word)) return word.includes('-') ? -Infinity : Infinity;
  return /^ *[-+]?nan *$/i.test(word) ? NaN : undefined;
}

function toEvent(iteration: number, planned: number, fields: Fields): IterationEvent {
  const seconds = fields['elapsed time per iteration (s)'];
  return {
    type: 'iteration',
    iteration,
    plannedIterations: planned,
    stepMs: fields['elapsed time per iteration (ms)'] ?? (seconds === undefined ? null : seconds * 1000),
    loss: fields['lm loss'] ?? null,
    lossScale: fields['loss scale'] ?? null,
    gradNorm: fields['grad norm'] ?? null,
    globalBatch: fields['global batch size'] ?? null,
    sequenceLength: fields['actual seqlen'] ?? null,
    skippedIterations: fields['number of skipped iterations'] ?? 0,
    nanIterations: fields['number of nan iterations'] ?? 0,
    loggedTflops: fields['TFLOPs'] ?? fields['throughput per GPU (TFLOP/s/GPU)'] ?? null,
    ...(fields['learning rate'] === undefined || fields['global batch size'] === undefined
      ? { partial: true as const }
      : {}),
  };
}

/**
 * Two halves of two lines can join into one that looks whole, with a step time glued from both. The line says
 * the same thing twice, as time and as samples a second (of all ranks, or of one of N): where these disagree
 * by more than rounding, neither is believed.
 */
function agrees({ stepMs, globalBatch }: IterationEvent, fields: Fields): boolean {
  const samplesPerSecond = fields['samples per second'];
  if (!stepMs || !globalBatch || !samplesPerSecond || samplesPerSecond < 0.05) return true;
  const ranks = (globalBatch * 1000) / (stepMs * samplesPerSecond);
  return Math.round(ranks) >= 1 && Math.abs(ranks - Math.round(ranks)) <= 0.02 * ranks;
}
