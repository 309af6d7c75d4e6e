import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, HardwareRates } from '../experiment/case.ts';
import type { StepWork } from './step-work.ts';

/** Parts of a step on the GPU and between chips; those of an optimizer on the CPU are in offload-time.ts. */

/** What a part of a step is limited by. */
export type Resource = 'compute' | 'gpu-memory' | 'link' | 'host-memory' | 'adam' | 'network' | 'launches';

/** One serial part of a step, before the rates are known to be there. */
export interface TimedWork {
  readonly what: string;
  readonly resource: Resource;
  /** Milliseconds; null where the system does not say how fast it is. */
  readonly ms: number | null;
  readonly source: string;
}

/** Milliseconds for `bytes` at a rate in GB/s; null where the rate is not known. */
export function transferMs(bytes: number, gbps: number | null): number | null {
  if (bytes === 0) return 0;
  return gbps === null ? null : bytes / gbps / 1e6;
}

/**
 * What a training step reaches of the system's rates. Fitted, with five passes of the activations, to the time that the
 * GPU computed in three traced steps on an H200 at its power cap (2B, 5B, 7B: 209, 455, 632 ms, met within 1 ms;
 * bench/measured/overlap-runs.tar.gz); a fourth that was left out, 15.9e9 with recomputation, takes 232 and is said to
 * take 222. Attention: of the longest sequence in bench/measured/h200.json, where it is nearly all; counted in full, of
 * which a causal kernel executes half.
 */
export const reached = { products: 0.867, attention: 0.94, traffic: 0.56 } as const;

const productSource =
  'FLOPs (Narayanan et al. 2021) over rates.achievableTflops, of which steps on an H200 at its power cap reached 87%';
const trafficSource =
  'over 56% of rates.hbmGBps: the forward pass writes every kept activation and reads it once, the backward pass reads ' +
  'it, writes its gradient and reads that; the share is fitted to traced steps on an H200';

/** Milliseconds of the GPU for a forward pass's products; the backward pass has twice as many. */
export function productMs(work: StepWork, { achievableTflops }: HardwareRates): number | null {
  if (achievableTflops === null) return null;
  const { forwardFlops, attentionFlops } = work;
  const effective = (forwardFlops - attentionFlops) / reached.products + attentionFlops / reached.attention;
  return effective / achievableTflops / 1e9;
}

/** Milliseconds for so many passes of all kept activations through the GPU's memory. */
export function trafficMs(work: StepWork, passes: number, { hbmGBps }: HardwareRates): number | null {
  return transferMs((passes * work.activationBytes) / reached.traffic, hbmGBps);
}

export function computeParts(work: StepWork, rates: HardwareRates): TimedWork[] {
  const forwardMs = productMs(work, rates);
  const products = (what: string, passes: number): TimedWork => ({
    what,
    resource: 'compute',
    ms: forwardMs === null ? null : passes * forwardMs,
    source: productSource,
  });
  const recomputes = work.recomputeFlops > 0;
  return [
    products('forward', 1),
    products('recomputation', recomputes ? 1 : 0),
    products('backward', 2),
    {
      what: 'activations through GPU memory',
      resource: 'gpu-memory',
      ms: trafficMs(work, recomputes ? 7 : 5, rates),
      source: trafficSource,
    },
  ];
}

/** Of the data sheet's rate, what Adam on the GPU reached in traced steps: 3.23e9 parameters in 49 ms, 7.59e9 in 114. */
const reachedByAdam = 0.667;

/**
 * Adam on the GPU: 28 bytes of state and weights, 14 of gradients on their way to fp32 and through the scale, 6 of weights
 * on theirs back.
 */
export function gpuAdam(elements: number, { hbmGBps }: HardwareRates): TimedWork {
  return {
    what: 'Adam on the GPU',
    resource: 'gpu-memory',
    ms: transferMs((48 * elements) / reachedByAdam, hbmGBps),
    source: '48 bytes a parameter over 67% of rates.hbmGBps, as in traced steps on an H200',
  };
}

/**
 * Gradients are reduced and weights gathered: ZeRO-3 gathers for both passes (and a recomputation), the others once
 * after the step. None of it is taken as hidden: DeepSpeed's overlap_comm is off in stage 2 by default and in the
 * artifact's files.
 */
export function networkParts(subject: Case, work: StepWork, rates: HardwareRates): TimedWork[] {
  if (work.chips === 1) return [];
  const gbps = work.nodes > 1 ? rates.interNodeGBps : rates.intraNodeGBps;
  const whole = work.weightBytes * work.parameters * (1 - 1 / work.chips);
  const { zeroStage } = modes[subject.mode];
  const gathers = zeroStage === 3 ? (subject.activationCheckpointing ? 3 : 2) * work.accumulation : 1;
  const source = `over rates.${work.nodes > 1 ? 'inter' : 'intra'}NodeGBps: 2 bytes a parameter, all shares but the own`;
  const part = (what: string, bytes: number, from = source): TimedWork => ({
    what,
    resource: 'network',
    ms: transferMs(bytes, gbps),
    source: from,
  });
  return [
    part('gradients reduced', whole * (zeroStage === 0 ? 1 : work.accumulation)),
    part('weights gathered', whole * gathers),
    part(
      'sequences exchanged for attention',
      work.exchanges * work.exchangeBytes,
      'four all-to-alls a layer and pass (Jacobs et al. 2023)',
    ),
  ];
}
