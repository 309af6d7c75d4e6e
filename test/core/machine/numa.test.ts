import { describe, expect, it } from 'vitest';
import type { GpuFacts, NumaNodeFacts } from '../../../src/core/machine/facts.ts';
import {
  hostNumaNodes,
  memoryOfNodes,
  parseCoherentMemoryMode,
  parseIdList,
  parseNodeMemoryMiB,
  parsePageBytes,
} from '../../../src/core/machine/numa.ts';
import { parseAllowedNodes } from '../../../src/core/machine/proc.ts';

const gpu = { name: 'NVIDIA GH200 480GB' } as GpuFacts;
/** As `numactl -H` shows a GH200 480GB: one node of the CPU, one of the HBM, seven for its parts, empty. */
const gh200: readonly NumaNodeFacts[] = [
  { id: 0, cpus: '0-71', memoryMiB: 490_037 },
  { id: 1, cpus: '', memoryMiB: 97_280 },
  ...[2, 3, 4, 5, 6, 7, 8].map((id) => ({ id, cpus: '', memoryMiB: 0 })),
];

describe('hostNumaNodes', () => {
  it('are those with cores, where the HBM of a superchip is a node too', () => {
    expect(hostNumaNodes({ numa: { nodes: gh200, allowed: '0-8' }, gpus: [gpu] })).toEqual([0]);
    expect(memoryOfNodes(gh200, [0])).toBe(490_037 * 2 ** 20);
    expect(memoryOfNodes(gh200, [0, 1])).toBe((490_037 + 97_280) * 2 ** 20);
  });

  it('need no naming where all memory has cores: two sockets, or a driver that keeps its HBM', () => {
    const sockets = gh200.map((node) => ({ ...node, cpus: node.cpus === '' ? '72-143' : node.cpus }));
    const driver = gh200.map((node) => (node.id === 0 ? node : { ...node, memoryMiB: 0 }));
    for (const nodes of [sockets, driver, []]) {
      expect(hostNumaNodes({ numa: { nodes, allowed: null }, gpus: [gpu] })).toBeNull();
    }
    expect(hostNumaNodes({ numa: { nodes: gh200, allowed: null }, gpus: [] })).toBeNull();
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
