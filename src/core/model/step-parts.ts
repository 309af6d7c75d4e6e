import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, HardwareRates } from '../experiment/case.ts';
import type { StepWork } from './step-work.ts';

/** Parts of a step on the GPU and between chips; those of an optimizer on the CPU are in offload-time.ts. */

/** What a part of a step is limited by. */
export type Resource = 'compute' | 'gpu-memory' | 'link' | 'host-memory' | 'adam' | 'network';

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

const productSource = 'FLOPs (Narayanan et al. 2021) over rates.achievableTflops';
const trafficSource =
  'over rates.hbmGBps: the forward pass writes every kept activation and reads it once, the backward pass reads it, ' +
  'writes its gradient and reads that';

export function computeParts(work: StepWork, { achievableTflops, hbmGBps }: HardwareRates): TimedWork[] {
  const products = (what: string, flops: number): TimedWork => ({
    what,
    resource: 'compute',
    ms: achievableTflops === null ? null : flops / achievableTflops / 1e9,
    source: productSource,
  });
  const passes = work.recomputeFlops > 0 ? 7 : 5;
  return [
    products('forward', work.forwardFlops),
    products('recomputation', work.recomputeFlops),
    products('backward', work.backwardFlops),
    {
      what: 'activations through GPU memory',
      resource: 'gpu-memory',
      ms: transferMs(passes * work.activationBytes, hbmGBps),
      source: trafficSource,
    },
  ];
}

/** Adam on the GPU: 28 bytes of state and weights, 10 of gradients on their way to fp32, 6 of weights on theirs back. */
export function gpuAdam(elements: number, { hbmGBps }: HardwareRates): TimedWork {
  return {
    what: 'Adam on the GPU',
    resource: 'gpu-memory',
    ms: transferMs(44 * elements, hbmGBps),
    source: '44 bytes a parameter over rates.hbmGBps',
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
