import { describe, expect, it } from 'vitest';
import type { NumaNodeFacts } from '../../../src/core/machine/facts.ts';
import {
  gpuMemoryNodes,
  hostNumaNodes,
  parseCoherentMemoryMode,
  parseIdList,
  parseNodeMemoryMiB,
  parsePageBytes,
  withoutGpuMemory,
} from '../../../src/core/machine/numa.ts';
import { parseAllowedNodes } from '../../../src/core/machine/proc.ts';

/** As `numactl -H` shows a GH200 480GB: one node of the CPU, one of the HBM, seven for its parts, empty. */
const gh200: readonly NumaNodeFacts[] = [
  { id: 0, cpus: '0-71', memoryMiB: 490_037 },
  { id: 1, cpus: '', memoryMiB: 97_280 },
  ...[2, 3, 4, 5, 6, 7, 8].map((id) => ({ id, cpus: '', memoryMiB: 0 })),
];
const machine = (nodes: readonly NumaNodeFacts[], arch = 'arm64') => ({
  numa: { nodes, allowed: null },
  arch,
});

describe('NUMA nodes of a superchip', () => {
  it("are the host's where they have cores, and the GPU's where they have none", () => {
    expect(hostNumaNodes(machine(gh200))).toEqual([0]);
    expect(gpuMemoryNodes(machine(gh200))).toEqual([1]);
  });

  it('need no naming where all memory has cores: two sockets, or a driver that keeps its HBM', () => {
    const sockets = gh200.map((node) => ({ ...node, cpus: node.cpus === '' ? '72-143' : node.cpus }));
    const driver = gh200.map((node) => (node.id === 0 ? node : { ...node, memoryMiB: 0 }));
    for (const nodes of [sockets, driver, []]) expect(hostNumaNodes(machine(nodes))).toBeNull();
  });

  it('are not what memory without cores is on an x86 host: an expander, and host memory', () => {
    expect(hostNumaNodes(machine(gh200, 'x64'))).toBeNull();
    expect(gpuMemoryNodes(machine(gh200, 'x64'))).toEqual([]);
  });

  it("the GPU's are taken out of what /proc/meminfo counts, with what of them could still be taken", () => {
    const kB = 1024;
    const node =
      'Node 1 MemTotal:       1000 kB\nNode 1 MemFree:         300 kB\nNode 1 MemUsed: 700 kB\n' +
      'Node 1 FilePages:       150 kB\nNode 1 Shmem:           50 kB\n';
    const all = { totalBytes: 6000 * kB, availableBytes: 4000 * kB };
    expect(withoutGpuMemory(all, [node])).toEqual({ totalBytes: 5000 * kB, availableBytes: 3600 * kB });
    expect(withoutGpuMemory(all, [])).toEqual(all);
    expect(withoutGpuMemory({ totalBytes: 0, availableBytes: 0 }, [node])).toEqual({
      totalBytes: 0,
      availableBytes: 0,
    });
  });
});

describe("the kernel's and the driver's texts", () => {
  it.each([
    ['0-3,8\n', [0, 1, 2, 3, 8]],
    ['0\n', [0]],
    ['4,12,20,28', [4, 12, 20, 28]],
    ['', []],
    ['none', []],
  ])('the list %j', (text, ids) => {
    expect(parseIdList(text)).toEqual(ids);
  });

  it('memory of a node', () => {
    expect(parseNodeMemoryMiB('Node 0 MemTotal:       24684092 kB\nNode 0 MemFree: 1 kB\n')).toBe(24_105);
    expect(parseNodeMemoryMiB('')).toBe(0);
  });

  it.each([
    ['ResmanDebugLevel: 4294967295\nCoherentGPUMemoryMode: "numa"\nRegistryDwords: ""\n', 'numa'],
    ['CoherentGPUMemoryMode: "driver"\n', 'driver'],
    ['CoherentGPUMemoryMode: ""\nCreateImexChannel0: 0\n', ''],
    ['CoherentGPUMemoryMode: driver\n', 'driver'],
    ['ResmanDebugLevel: 4294967295\n', null],
    ['', null],
  ])('the memory mode in %j is %j', (params, mode) => {
    expect(parseCoherentMemoryMode(params)).toBe(mode);
  });

  it('the page size: 64 KiB on Grace', () => {
    const words = new BigUint64Array([16n, 0xffn, 6n, 65_536n, 0n, 0n]);
    expect(parsePageBytes(new Uint8Array(words.buffer))).toBe(65_536);
    expect(parsePageBytes(new Uint8Array(16))).toBeNull();
    expect(parsePageBytes(new Uint8Array(3))).toBeNull();
  });

  it('the nodes that a process may use', () => {
    expect(parseAllowedNodes('Cpus_allowed_list:\t0-1\nMems_allowed_list:\t0-3\n')).toBe('0-3');
    expect(parseAllowedNodes('')).toBeNull();
  });
});
