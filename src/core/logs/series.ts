/** A growing list of numbers in one typed array: a log of a million steps costs 8 MB, not 50. */
export interface Series {
  readonly push: (value: number) => void;
  /** A view of what was pushed so far; valid until the next push. */
  readonly values: () => Float64Array;
}

export function createSeries(): Series {
  let buffer = new Float64Array(256);
  let length = 0;
  return {
    push: (value) => {
      if (length === buffer.length) {
        const larger = new Float64Array(buffer.length * 2);
        larger.set(buffer);
        buffer = larger;
      }
      buffer[length] = value;
      length += 1;
    },
    values: () => buffer.subarray(0, length),
  };
}
