/** Follows Python tracebacks, each rank's apart, to the line that names the exception. */

export interface Tracebacks {
  readonly opens: (text: string) => boolean;
  readonly open: (rank: number | null) => void;
  readonly isOpen: () => boolean;
  /** Says what a line is to the open traceback of its rank. */
  readonly push: (text: string, rank: number | null) => 'frame' | 'exception' | 'outside';
  /** True on the exception line of a traceback whose last frames pinned host memory. */
  readonly afterPinning: (rank: number | null) => boolean;
}

const first = 'Traceback (most recent call last)';
const pins = /pin_memory|cudaHostAlloc|CachingHostAllocator/;
/** Frames between the call that pins and the exception: a wrapper or two, each with its line of carets. */
const pinningReach = 7;
/** A traceback that is longer was cut, and its end never came. */
const maxFrames = 400;

interface OpenTraceback {
  lines: number;
  linesSincePinning: number;
}

export function createTracebacks(): Tracebacks {
  const running = new Map<number | null, OpenTraceback>();
  let ended: { rank: number | null; pinning: boolean } | null = null;
  return {
    opens: (text) => text.startsWith(first),
    open: (rank) => {
      running.set(rank, { lines: 0, linesSincePinning: Number.POSITIVE_INFINITY });
    },
    isOpen: () => running.size > 0,
    afterPinning: (rank) => ended !== null && ended.rank === rank && ended.pinning,
    push: (text, rank) => {
      ended = null;
      const current = running.get(rank);
      if (current === undefined) return 'outside';
      current.lines += 1;
      if (text.startsWith(' ') || text === '') {
        current.linesSincePinning = pins.test(text) ? 0 : current.linesSincePinning + 1;
        if (current.lines <= maxFrames) return 'frame';
        running.delete(rank);
        return 'outside';
      }
      running.delete(rank);
      if (text.startsWith(first)) return 'outside';
      ended = { rank, pinning: current.linesSincePinning <= pinningReach };
      return /^[\w.]+(?::|$)/.test(text) ? 'exception' : 'outside';
    },
  };
}
