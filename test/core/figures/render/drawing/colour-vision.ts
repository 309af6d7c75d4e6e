/** How colours look: to most, to readers without green or red cones, and in a grey print. */

type Triple = readonly [number, number, number];

/** sRGB to linear light, IEC 61966-2-1. */
function linear(colour: string): Triple {
  const channel = (at: number): number => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

/** Severity 1.0 of Machado, Oliveira and Fernandes (2009), doi:10.1109/TVCG.2009.113, in linear light. */
export const eyes: Readonly<Record<string, readonly [Triple, Triple, Triple]>> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}; // prettier-ignore

export function seen(colour: string, eye: string): Triple {
  const [r, g, b] = linear(colour);
  const rows = eyes[eye]!;
  const mixed = rows.map(([x, y, z]) => Math.min(1, Math.max(0, x * r + y * g + z * b)));
  return [mixed[0]!, mixed[1]!, mixed[2]!];
}

const luminance = ([r, g, b]: Triple): number => 0.2126729 * r + 0.7151522 * g + 0.072175 * b;
export const contrastOnWhite = (colour: string): number => 1.05 / (luminance(linear(colour)) + 0.05);

/** CIE 1976 L*a*b*, D65. */
export function lab(rgb: Triple): Triple {
  const [r, g, b] = rgb;
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(luminance(rgb));
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

export const distance = (a: Triple, b: Triple): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
export const lightness = (colour: string): number => lab(linear(colour))[0];
