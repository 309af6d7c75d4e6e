import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, System } from '../experiment/case.ts';
import { hostPart, type PartBytes } from './memory-parts.ts';

/** What a rank's processes take beside the state of training. */

const bytesPerGiB = 2 ** 30;

/** Measured: 0.5 to 0.7 GiB PSS of a CPU rank of the built-in trainer with 0.2e6 parameters, by mode. */
const cpuProcess = {
  bytes: 0.66 * bytesPerGiB,
  source: 'measured: PSS of a rank that trains next to nothing, torch 2.15.0, DeepSpeed 0.19.8, Python 3.11',
};

const gpuProcess = {
  bytes: 1.8 * bytesPerGiB,
  source: 'measured: host memory of ZeRO-2 on an H200, which has nothing else there (bench/README.md)',
};

const worker = {
  bytes: 2 * bytesPerGiB,
  source: 'measured: what is left of prism at 2B and 3B on an H200 beside its other parts (bench/README.md)',
};

const megatron = {
  bytes: 2.5 * bytesPerGiB,
  source: 'measured: zero_offload of Megatron beside the built-in trainer on an H200 (bench/README.md)',
};

/**
 * Python processes, SuperOffload's worker, and what Megatron's data loaders hold. Those are forked after the optimizer
 * was made and keep its pageable fp32 weights as they were: the first step copies every page (copy on write). Pinned
 * and shared memory is not copied so, which is why ZeRO-Offload has none of it.
 * @param state the parts of the mode
 */
export function processParts(
  subject: Pick<Case, 'mode' | 'workload'>,
  { accelerator }: Pick<System, 'accelerator'>,
  state: readonly PartBytes[],
): PartBytes[] {
  const main = accelerator === 'cuda' ? gpuProcess : cpuProcess;
  const workers = modes[subject.mode].workerProcesses;
  const ownWorker = accelerator === 'cuda' ? worker : cpuProcess;
  return [
    hostPart('Python process', main.bytes, main.source),
    ...(workers === 0
      ? []
      : [hostPart("SuperOffload's worker", workers * ownWorker.bytes, ownWorker.source)]),
    ...(subject.workload === 'megatron' ? megatronParts(state) : []),
  ];
}

function megatronParts(state: readonly PartBytes[]): PartBytes[] {
  const pageable = state
    .filter(({ what, where }) => where === 'host' && what === 'fp32 weights')
    .reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    hostPart('Megatron and its data loaders', megatron.bytes, megatron.source),
    ...(pageable === 0
      ? []
      : [
          hostPart(
            'fp32 weights as the data loaders saw them when they were forked',
            pageable,
            'megatron/training.py: two workers a data set, started after the optimizer was made',
          ),
        ]),
  ];
}
