import type { LogEvent } from '../events.ts';
import type { LogFormat } from './format.ts';
import { parseIterationLine } from './iteration-line.ts';

/** A scheduler put the run back into its queue: what follows is another life, written by the job's own script. */
export const putBack = ' put back |';

/** The trainer of this project (experiment/trainer): Megatron's iteration line and three lines of its own. */
export const builtin: LogFormat = {
  name: 'builtin',
  needles: [' iteration ', ' run facts |', ' peak memory |', ' training finished |', putBack],
  parse: (text) => parseIterationLine(text) ?? parseOwnLine(text),
};

/** A launcher prefix takes the leading space with it (`torchrun --tee`: `[rank0]: training finished |`). */
const ownLine = /^ ?(run facts|peak memory|training finished) \|(.*)\|\s*$/;

function parseOwnLine(text: string): LogEvent | undefined {
  if (text.startsWith(putBack)) return { type: 'put-back' };
  const line = ownLine.exec(text);
  if (line === null) return undefined;
  const fields = readFields(line[2] ?? '');
  if (line[1] === 'run facts') return { type: 'facts', facts: fields };
  if (line[1] === 'training finished') {
    const iterations = Number(fields['iterations'] ?? Number.NaN);
    return Number.isInteger(iterations) ? { type: 'finished', iteration: iterations } : undefined;
  }
  return {
    type: 'memory',
    gpuAllocatedGiB: gibibytes(fields['gpu allocated (GiB)']),
    gpuReservedGiB: gibibytes(fields['gpu reserved (GiB)']),
    hostGiB: gibibytes(fields['host (GiB)']),
    hostSource: fields['host source'] ?? null,
  };
}

function readFields(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const part of text.split('|')) {
    const colon = part.indexOf(': ');
    if (colon > 0) fields[part.slice(0, colon).trim()] = part.slice(colon + 2).trim();
  }
  return fields;
}

function gibibytes(text: string | undefined): number | null {
  return text !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : null;
}
