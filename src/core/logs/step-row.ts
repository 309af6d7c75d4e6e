import type { LogEvent } from './events.ts';
import { iterationFields } from './formats/iteration-line.ts';
import { readPrefix } from './line-prefix.ts';

/** One iteration line with all of its fields; keys are camelCase with units, values numbers where they are. */
export type StepRow = Readonly<Record<string, number | string | null>>;

/** Names that need more than camelCase to say their unit or meaning. */
const names: Readonly<Record<string, string>> = {
  'elapsed time per iteration (ms)': 'stepMs',
  'elapsed time per iteration (s)': 'stepSeconds',
  'actual seqlen': 'sequenceLength',
  'samples per second': 'samplesPerSecond',
  'tokens per gpu per second (tgs)': 'tokensPerGpuPerSecond',
  TFLOPs: 'loggedTflopsPerGpu',
  'throughput per GPU (TFLOP/s/GPU)': 'loggedTflopsPerGpu',
  'number of skipped iterations': 'skippedIterations',
  'number of nan iterations': 'nanIterations',
};

/** @returns the row of a line that said `events`, or undefined where it is no iteration line */
export function stepRow(line: string, events: readonly LogEvent[]): StepRow | undefined {
  const event = events.find((each) => each.type === 'iteration');
  if (event === undefined) return undefined;
  const { rank, text } = readPrefix(line);
  const fields = iterationFields(text);
  const row: Record<string, number | string | null> = rank === null ? {} : { rank };
  if (fields === undefined) {
    const { iteration, stepMs, loss, samplesPerSecond } = event;
    return { ...row, iteration, stepMs, loss, samplesPerSecond: samplesPerSecond ?? null };
  }
  for (const [name, value] of fields) row[names[name] ?? camelCase(name)] = toValue(value);
  return row;
}

function camelCase(name: string): string {
  return name
    .replace(/[^A-Za-z0-9]+/g, ' ')
    .trim()
    .replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase())
    .replace(/^[A-Z]+/, (start) => start.toLowerCase());
}

/** Not-finite numbers stay words: JSON has none. */
function toValue(text: string): number | string {
  const number = Number(text);
  return text !== '' && Number.isFinite(number) ? number : text;
}
