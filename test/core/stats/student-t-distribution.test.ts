import { describe, expect, it } from 'vitest';
import { studentTCdf, studentTQuantile } from '../../../src/core/stats/student-t-distribution.ts';
import { studentT975 } from '../../../src/core/stats/student-t.ts';

describe("Student's t for any probability", () => {
  it.each([
    // NIST/SEMATECH e-Handbook, 1.3.6.7.2.
    [0.9, 1, 3.078],
    [0.95, 4, 2.132],
    [0.975, 2, 4.303],
    [0.99, 3, 4.541],
    [0.99, 2, 6.965],
    [0.999, 10, 4.144],
    [0.95, 100, 1.66],
  ])('P = %d with %d degrees is at t = %d, and back', (probability, degrees, t) => {
    expect(studentTQuantile(probability, degrees)).toBeCloseTo(t, 3);
    expect(studentTQuantile(1 - probability, degrees)).toBeCloseTo(-t, 3);
    expect(studentTCdf(studentTQuantile(probability, degrees), degrees)).toBeCloseTo(probability, 9);
  });

  it('agrees with the table of intervals, and with the closed forms of 1 and 2 degrees', () => {
    for (let degrees = 1; degrees <= 30; degrees += 1) {
      expect(studentTQuantile(0.975, degrees)).toBeCloseTo(studentT975(degrees), 3);
    }
    for (const t of [-30, -2, -0.1, 0, 0.7, 5]) {
      expect(studentTCdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 10);
      expect(studentTCdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 10);
    }
    expect(studentTCdf(Number.NaN, 3)).toBeNaN();
    expect(studentTCdf(Number.POSITIVE_INFINITY, 3)).toBe(1);
  });
});
