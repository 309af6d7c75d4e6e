import type { Fault } from '../../errors.ts';

const expected = 'minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS';

/**
 * Reads a time limit as sbatch's --time has it (sbatch(1)).
 * @returns seconds; null for no limit (`0`, `UNLIMITED`); undefined for what is no time
 */
export function limitSeconds(text: string): number | null | undefined {
  if (/^(?:unlimited|infinite)$/i.test(text)) return null;
  const match = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, days, first = '0', second, third] = match;
  const parts = [Number(first), Number(second ?? 0), Number(third ?? 0)] as const;
  // Behind days the first number is hours; without them it is hours only where all three are there.
  if (days !== undefined) return seconds(Number(days), parts[0], parts[1], parts[2]);
  const total =
    third === undefined ? seconds(0, 0, parts[0], parts[1]) : seconds(0, parts[0], parts[1], parts[2]);
  return total === 0 ? null : total;
}

function seconds(days: number, hours: number, minutes: number, rest: number): number {
  return ((days * 24 + hours) * 60 + minutes) * 60 + rest;
}

export function timeFault(place: string, value: string): Fault[] {
  if (limitSeconds(value) !== undefined) return [];
  return [{ place, problem: `${JSON.stringify(value)} is no time limit`, expected }];
}
