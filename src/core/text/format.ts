/** Numbers and durations as a person reads them: one way for every table, page and progress line. */

/** Four significant digits, never an exponent for everyday sizes. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-3 || magnitude >= 1e7)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** `1024`, `16K`, `1M`: tokens of a sequence, as people say them; what is no such number stays as it is. */
export function formatTokens(tokens: number): string {
  if (tokens >= 2 ** 20 && tokens % 2 ** 20 === 0) return `${tokens / 2 ** 20}M`;
  return tokens >= 2 ** 13 && tokens % 2 ** 10 === 0 ? `${tokens / 2 ** 10}K` : String(tokens);
}

/** `0.4s`, `12s`, `3m05s`, `2h10m`. */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}m${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h${pad(Math.floor((whole % 3600) / 60))}m`;
}

const counts = [
  { unit: 'B', size: 1e9, digits: 3 },
  { unit: 'M', size: 1e6, digits: 1 },
  { unit: 'K', size: 1e3, digits: 1 },
] as const;

/** `141.1K`, `23.5M`, `2.120B`: a parameter count, to be compared with the names of the sizes. */
export function formatCount(count: number): string {
  if (count < 1e3) return String(count);
  for (const { unit, size, digits } of counts) {
    // 999,960 are 1.0M, not 1000.0K.
    const text = (count / size).toFixed(digits);
    if (Number(text) >= 1) return `${text}${unit}`;
  }
  return String(count);
}
