import type { MachineFacts } from '../machine/facts.ts';
import type { System } from './case.ts';

const bytesPerGiB = 2 ** 30;

/**
 * The machine at hand as a system. What cannot be probed (the peak) comes from the known system with the same
 * GPU; an unknown GPU has no peak, and so no MFU, rather than a guess.
 */
export function localSystem(
  machine: MachineFacts,
  accelerator: 'cuda' | 'cpu',
  known: readonly System[],
): System {
  const gpu = accelerator === 'cuda' ? machine.gpus[0] : undefined;
  const twin = known.find((system) => system.gpuName !== null && system.gpuName === gpu?.name);
  const onGpu = gpu !== undefined;
  return {
    name: 'local',
    title: onGpu ? `${machine.gpus.length} x ${gpu.name}` : `${machine.cpu.cores} CPU cores, no GPU`,
    accelerator,
    link: onGpu ? (twin?.link ?? (/\bG[HB]\d00\b/.test(gpu.name) ? 'c2c' : 'pcie')) : 'none',
    chipsPerNode: onGpu ? machine.gpus.length : machine.cpu.cores,
    gpuName: gpu?.name ?? null,
    gpuGiB: onGpu ? Math.min(...machine.gpus.map((each) => each.memoryMiB)) / 1024 : null,
    // A virtual machine may be given more memory later: MemTotal is no limit (bench/README.md).
    hostGiB:
      onGpu && machine.memory.isLowerBound
        ? (twin?.hostGiB ?? null)
        : machine.memory.limitBytes / bytesPerGiB,
    peakTflops: twin?.peakTflops ?? null,
    cores: machine.cpu.cores,
    launcher: 'torchrun',
  };
}
