import { readFileSync } from 'node:fs';
import { arch } from 'node:os';
import type { NumaFacts } from '../../core/machine/facts.ts';
import {
  gpuMemoryNodes,
  parseIdList,
  parseNodeMemoryMiB,
  withoutGpuMemory,
} from '../../core/machine/numa.ts';
import { parseAllowedNodes, parseMeminfo } from '../../core/machine/proc.ts';

const nodeFolder = '/sys/devices/system/node';

/** The kernel's NUMA nodes that are on line. A GH200 lists eight of its memory, of which all but one are empty. */
export function probeNuma(): NumaFacts {
  const nodes = parseIdList(readText(`${nodeFolder}/online`)).map((id) => ({
    id,
    cpus: readText(`${nodeFolder}/node${id}/cpulist`).trim(),
    memoryMiB: parseNodeMemoryMiB(nodeMeminfo(id)),
  }));
  return { nodes, allowed: parseAllowedNodes(readText('/proc/self/status')) };
}

let gpuNodes: readonly number[] | undefined;

/**
 * Memory of the host, bytes, that of GPUs which is a NUMA node left out; 0 where the kernel does not say.
 * @param meminfo text of /proc/meminfo.
 */
export function hostMemoryOf(meminfo: string): {
  readonly totalBytes: number;
  readonly availableBytes: number;
} {
  // They do not change while a driver is loaded, and this is asked every second.
  gpuNodes ??= gpuMemoryNodes({ numa: probeNuma(), arch: arch() });
  return withoutGpuMemory(parseMeminfo(meminfo), gpuNodes.map(nodeMeminfo));
}

function nodeMeminfo(id: number): string {
  return readText(`${nodeFolder}/node${id}/meminfo`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
