import type { LogEvent } from '../events.ts';
import { builtin } from './builtin.ts';
import { deepspeed } from './deepspeed.ts';
import type { LogFormat } from './format.ts';
import { megatron } from './megatron.ts';

/** Every known log format, in the order in which a line is offered to them. */
export const logFormats = { megatron, builtin, deepspeed } satisfies Record<string, LogFormat>;

const formats = Object.values(logFormats);

/** @param text a line without launcher prefix; the first format that understands it speaks. */
export function parseLine(text: string): LogEvent | undefined {
  for (const format of formats) {
    const event = format.parse(text);
    if (event !== undefined) return event;
  }
  return undefined;
}

export const formatNeedles: readonly string[] = [...new Set(formats.flatMap((format) => format.needles))];
