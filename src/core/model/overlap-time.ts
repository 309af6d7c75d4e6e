import type { Case, System } from '../experiment/case.ts';
import { chipRates, ownAdam, timed, unpinnedDown, unpinnedUp } from './host-copies.ts';
import { passTimes, type PassTimes } from './launches.ts';
import type { OverlapShares } from './overlap-subgroups.ts';
import { gpuAdam, type TimedWork } from './step-parts.ts';
import { sharesOf, type StepWork } from './step-work.ts';
import { superoffloadSettings } from './superoffload-settings.ts';

/** Bytes a parameter that Adam and the copy of its weights to the GPU move in host memory. */
const adamBytes = 28;
const weightBytesUp = 2;

/**
 * Without `fused_casts`: gradients to fp32 before Adam (6 bytes, and 4 read before they are written over), weights to 16 bits
 * after it (6, and 2). rates.hostGBps is of a triad, counted without what is read before it is written: 24 bytes of 32.
 */
const castBytes = (6 + 4 + 6 + 2) * (24 / 32);

/**
 * To begin Adam again: 14 to 30 ms between 59 to 166 subgroups in traced steps. Of a subgroup that is larger than
 * `subgroup_elements` every piece is a call of its own (overlap/update.py).
 */
const callMs = 0.22;

/** Of one on the GPU, beside a CPU whose cores are all in Adam: 58 ms over 109 of them, 112 over 148. */
const gpuSubgroupMs = 0.6;

const adamSource =
  "the overlay's CPU Adam: 87% of rates.adamNsPerParameter (else of 28 bytes over rates.hostGBps), and 0.22 ms a call";

/** Rates of one chip and its share of the host. */
interface Rates {
  readonly downGBps: number;
  readonly upGBps: number;
  /** Adam with nothing but its own weights' copies beside it, nanoseconds a parameter. */
  readonly adamNs: number;
  /** What else the thread does that steps: begin Adam again, cast. Nanoseconds a parameter. */
  readonly besidesNs: number;
  /** How long that thread waits for weights on their way back: they are copied at once where memory is pinned. */
  readonly sendNs: number;
}

/** What comes after the passes: gradients on their way, CPU Adam, the GPU's own share where that takes longer. */
export function overlapTime(subject: Case, work: StepWork, system: System): TimedWork[] {
  const passes = passTimes(subject, work, system.rates);
  const shares = sharesOf(subject);
  const rates = ratesOf(subject, shares, system);
  const gpu = gpuAdam(shares.gpuElements, system.rates);
  const gpuMs = (gpu.ms ?? 0) + gpuSubgroupMs * shares.onGpu.length;
  if (shares.cpuElements === 0) {
    // All of it is on the GPU, whose rates are known where the host's are not.
    return [{ ...gpu, ms: gpu.ms === null ? null : gpuMs }];
  }
  if (passes === null || rates === null) {
    return [timed('CPU Adam after the passes', 'adam', null, adamSource)];
  }
  const downMs = heldBack(subject, shares, rates);
  const { lateMs, steppedElements } = besidePasses(
    { ...passes, backwardMs: passes.backwardMs + downMs },
    { shares, rates, parameters: work.parameters, subject },
  );
  const heldMs = downMs + (steppedElements * rates.sendNs) / 1e6;
  const rest = shares.cpuElements - steppedElements;
  const adamMs = (rest * (rates.adamNs + rates.besidesNs + rates.sendNs)) / 1e6;
  const savedMs = startsEarly(subject)
    ? Math.min(adamMs, passes.forwardMs * (rest / Math.max(1, shares.cpuElements)))
    : 0;
  return [
    timed('backward pass held back by copies', 'link', heldMs, heldSource),
    timed('gradients still on their way', 'link', lateMs, '16 bit over the link, beside the backward pass'),
    timed('CPU Adam after the passes', 'adam', adamMs - savedMs, adamSource),
    timed('Adam on the GPU, longer than that', 'gpu-memory', Math.max(0, gpuMs - adamMs), gpu.source),
    timed('weights to the GPU, at the end', 'link', returnMs(subject, shares, rates), '16 bit over the link'),
  ];
}

/** The next forward pass follows the weights: what of it is over when the last ones come back costs nothing. */
function startsEarly(subject: Case): boolean {
  return subject.chips === 1 && superoffloadSettings(subject).earlyForward;
}

/** With `early_return` weights cross while Adam goes on with the next. */
function returnMs(subject: Case, { cpuElements }: OverlapShares, { upGBps }: Rates): number {
  return superoffloadSettings(subject).earlyReturn ? 0 : (weightBytesUp * cpuElements) / upGBps / 1e6;
}

function ratesOf(subject: Case, shares: OverlapShares, system: System): Rates | null {
  const { downGBps, upGBps, hostGBps, adamMs } = chipRates(system);
  const alone = adamMs(1e6);
  const { pinMemory, earlyReturn, fusedCasts, subgroupElements } = superoffloadSettings(subject);
  const castsNs = fusedCasts ? 0 : hostGBps === null ? null : castBytes / hostGBps;
  if (downGBps === null || upGBps === null || alone === null || castsNs === null) return null;
  const upNow = upGBps * (pinMemory ? 1 : unpinnedUp);
  const calls = shares.onCpu.reduce((sum, size) => sum + Math.ceil(size / subgroupElements), 0);
  const callsNs = (callMs * 1e6 * calls) / Math.max(1, shares.cpuElements);
  return {
    downGBps: downGBps * (pinMemory ? 1 : unpinnedDown),
    upGBps: upNow,
    adamNs: ownAdam * alone,
    besidesNs: callsNs + castsNs,
    sendNs: pinMemory || !earlyReturn ? 0 : weightBytesUp / upNow,
  };
}

const heldSource =
  '16 bit over the link; where not pinned one way at a time, 13.7 and 8.35 GB/s where pinned memory has 55, in a traced step on an H200';

/**
 * The thread that launches the backward pass waits for every copy to memory that is not pinned, and launches nothing
 * meanwhile. Without streams of their own, copies and the pass take turns. Both ways of memory that is not pinned take turns
 * too (CUDA C++ Programming Guide, concurrent data transfers): the pass is held back by the weights that return in it as
 * well, and Adam's thread has that time besides.
 */
function heldBack(subject: Case, { cpuElements }: OverlapShares, { downGBps }: Rates): number {
  const { pinMemory, copyStreams } = superoffloadSettings(subject);
  return pinMemory && copyStreams ? 0 : (2 * cpuElements) / downGBps / 1e6;
}

/** What happens while the last micro-batch's passes run, and until its last gradient has come down. */
interface Beside {
  /** How long after the passes the last gradient comes. */
  readonly lateMs: number;
  /** Stepped by then: as fast as Adam is beside the copies, and no more than there are spare blocks for. */
  readonly steppedElements: number;
}

/** The backward pass is taken to come to parameters evenly, to the head first. */
function besidePasses(
  { forwardMs, backwardMs }: PassTimes,
  work: {
    readonly shares: OverlapShares;
    readonly rates: Rates;
    readonly subject: Case;
    readonly parameters: number;
  },
): Beside {
  const { shares, rates, subject, parameters } = work;
  const { cpuElements, spareElements } = shares;
  const { hidden, paddedVocabulary } = subject.model;
  const first = shares.onCpu.at(-2) ?? 0;
  const headMs = backwardMs * ((hidden * paddedVocabulary) / parameters);
  const madeMs = (elements: number): number =>
    forwardMs + headMs + (backwardMs - headMs) * ((elements * subject.chips) / parameters);
  const downMs = (elements: number): number => (2 * elements) / rates.downGBps / 1e6;
  const beginMs = madeMs(first) + downMs(first);
  const arrivedMs = Math.max(madeMs(cpuElements), beginMs + downMs(cpuElements - first));
  const lateMs = Math.max(0, arrivedMs - forwardMs - backwardMs);
  const downGBps = (2 * cpuElements) / Math.max(1, arrivedMs - beginMs) / 1e6;
  const nsBeside = besideNs(rates.adamNs, downGBps) + rates.besidesNs;
  const possible = ((forwardMs + backwardMs + lateMs - beginMs) * 1e6) / nsBeside;
  return {
    lateMs,
    steppedElements: Math.max(0, Math.min(spareElements, cpuElements, possible)),
  };
}

/**
 * Adam while gradients come down: they and it share what host memory gives to Adam alone. Measured beside copies down
 * alone on two machines with an H200: 99 GB/s of Adam and 44 of copies, where Adam alone has 144; 92 and 44, where it has
 * 137 (bench/overlap_limits.py).
 */
function besideNs(adamNs: number, downGBps: number): number {
  const left = adamBytes / adamNs - downGBps;
  return Math.max(adamNs, (adamBytes + weightBytesUp) / Math.max(1, left));
}
