import { InvalidArgumentError } from '@commander-js/extra-typings';

/** Readers of flag values. Each says what it expected; commander adds the flag. */

/** A whole number from 1 up. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('Expected a whole number from 1 up.');
  }
  return value;
}

/** Tokens, as `2048`, `64K` (of 1024) or `1M`. */
export function parseTokens(text: string): number {
  const match = /^(\d+)([KM]?)$/i.exec(text);
  const unit = { k: 1024, m: 1024 ** 2 }[match?.[2]?.toLowerCase() ?? ''] ?? 1;
  const value = Number(match?.[1] ?? Number.NaN) * unit;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('Expected a whole number from 1 up, such as 2048, 64K or 1M.');
  }
  return value;
}

/** A share, as `2%` or `0.02`. */
export function parseShare(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (value >= 0 && value <= 1) return value;
  const expected = 'Expected a share, such as 2% or 0.02';
  const isPercent = /^\d+$/.test(text) && value <= 100;
  throw new InvalidArgumentError(isPercent ? `${expected}; did you mean ${value / 100}?` : `${expected}.`);
}

/** How precisely a ratio is asked for, as `2%` or `0.02`; of noisy machines also beyond 100%. */
export function parsePrecision(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(value > 0)) throw new InvalidArgumentError('Expected a share above 0, such as 2% or 0.02.');
  return value;
}

/** A probability of dropping: at 1 nothing would be left to train on. */
export function parseDropout(text: string): number {
  const value = parseShare(text);
  if (value === 1) throw new InvalidArgumentError('Expected a share below 1, such as 0.1 or 10%.');
  return value;
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** @returns milliseconds, more than 0, of `90s`, `10m`, `1h30m` or plain seconds. */
export function parseDuration(text: string): number {
  const withUnit = /^\d+(\.\d+)?$/.test(text) ? `${text}s` : text;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(withUnit)) {
    throw new InvalidArgumentError('Expected a duration, such as 90s, 10m or 1h30m.');
  }
  const parts = withUnit.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  const sumMs = [...parts].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? 0),
    0,
  );
  if (sumMs === 0) throw new InvalidArgumentError('Expected a duration longer than 0.');
  return sumMs;
}

/** @returns milliseconds, more than 0, of a number of hours such as `8` or `0.5`. */
export function parseHours(text: string): number {
  const hours = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || hours <= 0) {
    throw new InvalidArgumentError('Expected a number of hours above 0, such as 8 or 0.5.');
  }
  return hours * 3_600_000;
}

/** Gathers a flag that may be given more than once; a comma separates values too. Each time it names something. */
export function collectNames(text: string, before: readonly string[] = []): string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('Expected a name, or several with commas between.');
  return [...before, ...names];
}

/** Gathers a flag that may be given more than once, as it is. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** A whole number from 0 up. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('Expected a whole number from 0 up.');
  }
  return value;
}
