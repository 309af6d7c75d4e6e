import { modes } from '../src/core/deepspeed/modes/registry.ts';
import { boundsOf } from '../src/core/figures/timeline/bounds.ts';
import { knownRates, type MeasuredLimits } from '../src/core/figures/timeline/rates.ts';
import { caseDemand } from '../src/core/figures/timeline/traced-run.ts';
import { parameterCount } from '../src/core/model/shape.ts';
import type { Row } from './overlap-rows.ts';

/**
 * The bound of docs/performance.md, "What the machine allows": forward, then CPU Adam while the copies run, at what this
 * machine was measured to do beside the runs.
 * @returns null where nobody measured it, nothing is on the CPU, or where the formula is no bound worth the name:
 * micro-batches that are accumulated, and recomputation, make the part before Adam longer
 */
function boundMs({ subject, launches }: Row, limits: MeasuredLimits | null): number | null {
  const { mode, model, sequenceLength, activationCheckpointing, gradientAccumulation } = subject;
  const system = launches[0]?.system;
  if (limits === null || system === undefined || !modes[mode].offloadsOptimizer) return null;
  if (activationCheckpointing || gradientAccumulation > 1) return null;
  const known = knownRates(system.rates, limits);
  if ('missing' in known) return null;
  const parameters = parameterCount(model, sequenceLength);
  return boundsOf(caseDemand(subject, parameters, system), known)?.dependentMs ?? null;
}

/** @returns 0.1 for a step that takes 1.1 times its bound; null where there is no bound, or no step */
export function aboveBound(row: Row, limits: MeasuredLimits | null): number | null {
  const [bound, stepMs] = [boundMs(row, limits), row.summary.stepMs];
  return bound === null || stepMs === null ? null : stepMs / bound - 1;
}
