/**
 * NUMA nodes, page size and the memory mode of a superchip's driver: the kernel's texts in, facts out.
 * Formats: Linux, Documentation/admin-guide/mm/numaperf.rst and Documentation/ABI/stable/sysfs-devices-node.
 */
import type { MachineFacts, NumaNodeFacts } from './facts.ts';

/** `0-3,8` as the kernel writes lists of nodes and cores. Anything else is no list, and empty. */
export function parseIdList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter((range) => /^\d+(-\d+)?$/.test(range))
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
    });
}

/** MemTotal of /sys/devices/system/node/nodeN/meminfo, MiB; 0 where absent. */
export function parseNodeMemoryMiB(text: string): number {
  return Math.floor(nodeBytes(text, 'MemTotal') / 2 ** 20);
}

/**
 * CoherentGPUMemoryMode in /proc/driver/nvidia/params, whose lines are `Name: value` and texts stand in quotes.
 * @returns `numa` (HBM is a NUMA node), `driver` (it is not), '' for the driver's own choice (on GH200 `numa` before
 *   version 615, `driver` since), null where there is no driver, or one that does not know the word.
 */
export function parseCoherentMemoryMode(params: string): string | null {
  return /^CoherentGPUMemoryMode:\s*"?([^"\n]*?)"?\s*$/m.exec(params)?.[1] ?? null;
}

const pageSizeKey = 6n;

/**
 * The page size out of /proc/self/auxv: pairs of native words, AT_PAGESZ is 6 (getauxval(3)). 64 KiB pages are usual
 * on Grace.
 * @returns bytes; null where the vector does not say.
 */
export function parsePageBytes(auxv: Uint8Array): number | null {
  const words = new DataView(auxv.buffer, auxv.byteOffset, auxv.byteLength);
  for (let at = 0; at + 16 <= auxv.byteLength; at += 16) {
    if (words.getBigUint64(at, true) === pageSizeKey) return Number(words.getBigUint64(at + 8, true));
  }
  return null;
}

/**
 * A node of the GPU's memory: that of a superchip has no cores, and ordinary allocations spill into it. Only there:
 * memory without cores on another architecture is an expander on CXL, and host memory like any other.
 */
function isGpuMemory({ cpus, memoryMiB }: NumaNodeFacts, arch: string): boolean {
  return arch === 'arm64' && cpus === '' && memoryMiB > 0;
}

/** @returns the ids of the NUMA nodes that are memory of GPUs; none but on a superchip whose driver shows it so. */
export function gpuMemoryNodes({ numa, arch }: Pick<MachineFacts, 'numa' | 'arch'>): readonly number[] {
  return numa.nodes.filter((node) => isGpuMemory(node, arch)).map(({ id }) => id);
}

/**
 * The NUMA nodes that a run's host memory belongs on, where those of GPUs are nodes too.
 * @returns null where every node is host memory.
 */
export function hostNumaNodes({ numa, arch }: Pick<MachineFacts, 'numa' | 'arch'>): readonly number[] | null {
  if (gpuMemoryNodes({ numa, arch }).length === 0) return null;
  const own = numa.nodes.filter((node) => node.memoryMiB > 0 && !isGpuMemory(node, arch)).map(({ id }) => id);
  return own.length === 0 ? null : own;
}

/**
 * Host memory alone, out of /proc/meminfo, which counts the memory of GPUs in where it is a NUMA node: what such a
 * node has, and what of that could still be taken (free, and file pages that are no shared memory).
 * @param gpuNodes /sys/devices/system/node/nodeN/meminfo of each of them.
 */
export function withoutGpuMemory(all: MemoryBytes, gpuNodes: readonly string[]): MemoryBytes {
  const sum = (bytesOf: (text: string) => number): number =>
    gpuNodes.reduce((total, text) => total + bytesOf(text), 0);
  const available = (text: string): number =>
    nodeBytes(text, 'MemFree') + nodeBytes(text, 'FilePages') - nodeBytes(text, 'Shmem');
  return {
    totalBytes: Math.max(0, all.totalBytes - sum((text) => nodeBytes(text, 'MemTotal'))),
    availableBytes: Math.max(0, all.availableBytes - sum(available)),
  };
}

interface MemoryBytes {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

/** `Node 0 MemTotal:  24684092 kB`, in bytes; 0 where the line is absent. */
function nodeBytes(text: string, name: string): number {
  return Number(new RegExp(`^Node \\d+ ${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
}
