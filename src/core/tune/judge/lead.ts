import type { Measured } from '../measured.ts';

/** How a measured candidate compares with the choice. */
export interface Lead {
  /** Step time over the choice's: 1.2 takes 20% longer. */
  readonly ratio: number;
  /** From both runs' own intervals; null where one has none. */
  readonly low: number | null;
  readonly high: number | null;
  /** The intervals do not touch; null where there are none. */
  readonly isToldApart: boolean | null;
}

/** The choice's lead over another: the other's step time over its own. */
export function leadOver({ result: other }: Measured, { result: own }: Measured): Lead {
  const ratio = other.medianStepMs / own.medianStepMs;
  if (
    other.lowStepMs === null ||
    other.highStepMs === null ||
    own.lowStepMs === null ||
    own.highStepMs === null
  ) {
    return { ratio, low: null, high: null, isToldApart: null };
  }
  const low = other.lowStepMs / own.highStepMs;
  const high = other.highStepMs / own.lowStepMs;
  return { ratio, low, high, isToldApart: low > 1 || high < 1 };
}
