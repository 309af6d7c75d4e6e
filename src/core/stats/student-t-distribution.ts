/**
 * Student's t for any degrees of freedom and any probability; student-t.ts has the one quantile that tables need.
 * By the regularized incomplete beta function: P(T <= -|t|) = I_x(df/2, 1/2) / 2 with x = df / (df + t^2)
 * (Abramowitz and Stegun 26.7.1), as a continued fraction (DLMF 8.17.22) evaluated by Lentz's method.
 */

/** @returns P(T <= t); `degrees` may be a fraction and is above 0 */
export function studentTCdf(t: number, degrees: number): number {
  if (Number.isNaN(t)) return Number.NaN;
  const tail = incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
  return t < 0 ? tail : 1 - tail;
}

/** @returns the t with P(T <= t) = `probability`, between 0 and 1, by bisection to the last digits that matter */
export function studentTQuantile(probability: number, degrees: number): number {
  if (probability === 0.5) return 0;
  if (probability > 0.5) return -studentTQuantile(1 - probability, degrees);
  let low = -1;
  while (studentTCdf(low, degrees) > probability) low *= 2;
  let high = 0;
  for (let step = 0; step < 100 && high - low > 1e-10 * -low; step += 1) {
    const middle = (low + high) / 2;
    if (studentTCdf(middle, degrees) > probability) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** I_x(a, b), 0 to 1. The fraction converges fast only below (a + 1) / (a + b + 2); above it the symmetry is used. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return (front / a) * betaFraction(x, a, b);
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const awayFromZero = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= 500; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return value;
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** ln of the gamma function of a value above 0 (Lanczos 1964, g = 7, nine terms; error below 1e-14). */
function logGamma(value: number): number {
  if (value < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * value)) - logGamma(1 - value);
  const shifted = value - 1;
  const base = shifted + 7.5;
  const sum = lanczos.reduce(
    (total, term, index) => (index === 0 ? term : total + term / (shifted + index)),
    0,
  );
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum);
}
