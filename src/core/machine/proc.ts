/** Readers of the kernel's text files: text in, facts out. */
import type { CpuFacts } from './facts.ts';

/** `MemTotal:  24684092 kB` lines of /proc/meminfo, in bytes. 0 where a line is absent. */
export function parseMeminfo(text: string): { readonly totalBytes: number; readonly availableBytes: number } {
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { totalBytes: bytes('MemTotal'), availableBytes: bytes('MemAvailable') };
}

/** Soft `Max locked memory` of /proc/self/limits in bytes; null for unlimited or unknown. */
export function parseMemlock(text: string): number | null {
  const soft = /^Max locked memory\s+(\S+)/m.exec(text)?.[1];
  return soft === undefined || soft === 'unlimited' ? null : Number(soft);
}

/** `Mems_allowed_list` of /proc/self/status: the NUMA nodes that the process may take memory from. */
export function parseAllowedNodes(text: string): string | null {
  return /^Mems_allowed_list:\s+(\S+)/m.exec(text)?.[1] ?? null;
}

/** Model and instruction flags of the first core in /proc/cpuinfo (x86 `flags`, Arm `Features`). */
export function parseCpuinfo(text: string): { readonly model: string; readonly flags: readonly string[] } {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}[ \\t]*:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim();
  const arm = [field('CPU implementer'), field('CPU part'), field('CPU variant')].filter(Boolean).join(' ');
  const model = field('model name') ?? (arm === '' ? 'unknown' : `Arm ${arm}`);
  const flags = (field('flags') ?? field('Features') ?? '').split(/\s+/).filter((flag) => flag !== '');
  return { model, flags: flags.sort() };
}

/** The vector width that DeepSpeed's op builder picks (op_builder/builder.py, `simd_width`). */
export function simdOf(arch: string, flags: readonly string[]): CpuFacts['simd'] {
  if (arch === 'arm64') return flags.includes('sve') ? 'sve' : 'neon';
  if (flags.includes('avx512f')) return 'avx512';
  return flags.includes('avx2') ? 'avx2' : 'scalar';
}
