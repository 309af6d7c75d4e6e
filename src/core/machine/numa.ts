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

/** MemTotal of /sys/devices/system/node/nodeN/meminfo (`Node 0 MemTotal:  24684092 kB`), MiB; 0 where absent. */
export function parseNodeMemoryMiB(text: string): number {
  return Math.floor(Number(/^Node \d+ MemTotal:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024);
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
 * The NUMA nodes that a run's host memory belongs on, where others have memory and no cores: the HBM of a GH200, into
 * which ordinary allocations spill.
 * @returns null where every node with memory has cores, or there is no GPU whose memory it could be.
 */
export function hostNumaNodes({ numa, gpus }: Pick<MachineFacts, 'numa' | 'gpus'>): readonly number[] | null {
  const withMemory = numa.nodes.filter(({ memoryMiB }) => memoryMiB > 0);
  const own = withMemory.filter(({ cpus }) => cpus !== '');
  if (gpus.length === 0 || own.length === 0 || own.length === withMemory.length) return null;
  return own.map(({ id }) => id);
}

/** Memory of these NUMA nodes together, bytes. MemTotal counts the HBM of a GH200 in. */
export function memoryOfNodes(nodes: readonly NumaNodeFacts[], ids: readonly number[]): number {
  return nodes
    .filter(({ id }) => ids.includes(id))
    .reduce((sum, { memoryMiB }) => sum + memoryMiB * 2 ** 20, 0);
}
