import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, HardwareRates } from '../experiment/case.ts';
import { settingOf } from './memory.ts';
import { productMs, trafficMs, type TimedWork } from './step-parts.ts';
import type { StepWork } from './step-work.ts';
import { usesOverlap } from './superoffload-settings.ts';

/** What Python and the driver take for a layer in one pass, milliseconds; the GPU waits where it is done sooner. */
interface LayerLaunches {
  readonly forwardMs: number;
  readonly backwardMs: number;
}

/**
 * Of the traced step of 15.9e9 with recomputation at micro-batch 1 on an H200 (78 layers: forward 96 ms, backward with
 * recomputation 347, which the GPU computes in 232), less the 57 ms by which the trace slowed that step.
 */
const plain: LayerLaunches = { forwardMs: 1, backwardMs: 2.9 };

/**
 * ZeRO-3 hooks every module in both passes. Of traced steps of prism as published, 40 layers, less the 5% by which a trace slows
 * them: forward 146 and 154 ms; backward 1197 ms, of which 927 go to gradients (superoffload-time.ts). zero_3 at 1B, 20 layers
 * on two H200, took 241 ms and is said to take 210.
 */
const hooked: LayerLaunches = { forwardMs: 3.6, backwardMs: 6.5 };

const launchSource =
  'launches and Python, measured by layer in traced steps on an H200 (bench/measured/overlap-runs.tar.gz)';

/** One micro-batch's passes as they last: what the GPU computes, or what launching it takes. */
export interface PassTimes {
  readonly forwardMs: number;
  /** Recomputation included. */
  readonly backwardMs: number;
  /** Of them, what the GPU waits for launches. */
  readonly waitingMs: number;
}

/** @returns null where the system does not say how fast it computes */
export function passTimes(subject: Case, work: StepWork, rates: HardwareRates): PassTimes | null {
  const forward = productMs(work, rates);
  if (forward === null) return null;
  const recomputes = work.recomputeFlops > 0;
  const traffic = trafficMs(work, 1, rates) ?? 0;
  const gpu = {
    forwardMs: (forward + 2 * traffic) / work.accumulation,
    backwardMs: ((recomputes ? 3 : 2) * forward + (recomputes ? 5 : 3) * traffic) / work.accumulation,
  };
  const { layers } = subject.model;
  const { forwardMs, backwardMs } = launchesOf(subject);
  const pass = {
    forwardMs: Math.max(gpu.forwardMs, layers * forwardMs),
    backwardMs: Math.max(gpu.backwardMs, layers * (backwardMs + (recomputes ? forwardMs : 0))),
  };
  return { ...pass, waitingMs: pass.forwardMs - gpu.forwardMs + (pass.backwardMs - gpu.backwardMs) };
}

/**
 * The overlap optimizer takes ZeRO-3's hooks away where a rank is alone; where all weights persist they have nothing to
 * do.
 */
function launchesOf(subject: Case): LayerLaunches {
  const { zeroStage } = modes[subject.mode];
  const persist = settingOf(subject, 'stage3_param_persistence_threshold', 1e5);
  const isQuiet =
    zeroStage !== 3 || persist > parameterLimit || (usesOverlap(subject) && subject.chips === 1);
  return isQuiet ? plain : hooked;
}

/** No matrix has as many elements. */
const parameterLimit = 1e11;

/**
 * What ZeRO-1 and ZeRO-2 do for each gradient by itself while the GPU waits: of ddp at 2B, 3B and 5B on an H200 (0.302,
 * 0.471, 0.599 s; bench/measured/h200-runs.tar.gz) what passes and Adam leave, over 12 tensors a layer.
 */
const tensorMs = 0.13;
export const tensorsPerLayer = 12;

/** What comes on top of the GPU's own time: small passes, many gradients. */
export function launchParts(subject: Case, work: StepWork, rates: HardwareRates): TimedWork[] {
  const times = passTimes(subject, work, rates);
  const { zeroStage } = modes[subject.mode];
  const rounds = zeroStage === 3 ? 0 : zeroStage === 2 ? work.accumulation : 1;
  return [
    {
      what: 'gradients one by one',
      resource: 'launches',
      ms: rounds * subject.model.layers * tensorsPerLayer * tensorMs,
      source: '0.13 ms a tensor in ZeRO-2 and without ZeRO, fitted to ddp at three sizes on an H200',
    },
    {
      what: 'waiting for launches',
      resource: 'launches',
      ms: times === null ? null : times.waitingMs * work.accumulation,
      source: launchSource,
    },
  ];
}
