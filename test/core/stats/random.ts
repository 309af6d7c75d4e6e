/** Deterministic numbers for simulations: mulberry32 and Box-Muller. */
export function createNormal(seed: number): () => number {
  let state = seed;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** An autoregressive series of order 1 around `center`, standard deviation 1. */
export function autoregressive(normal: () => number, count: number, rho: number, center = 100): Float64Array {
  let value = normal();
  return Float64Array.from({ length: count }, () => {
    const current = center + value;
    value = rho * value + Math.sqrt(1 - rho * rho) * normal();
    return current;
  });
}
