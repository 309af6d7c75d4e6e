/** Numbers and durations as a person reads them; one way for every table and progress line. */

/** Four significant digits, never an exponent for everyday sizes. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-3 || magnitude >= 1e7)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
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

/** `141.100e3`, `2.120e9`: a parameter count, to be compared with the names of the sizes. */
export function formatCount(count: number): string {
  if (count < 1e3) return String(count);
  const exponent = count >= 1e9 ? 9 : count >= 1e6 ? 6 : 3;
  return `${(count / 10 ** exponent).toFixed(3)}e${exponent}`;
}
