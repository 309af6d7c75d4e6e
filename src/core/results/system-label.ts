import type { System } from '../experiment/case.ts';

/** `local` is another machine wherever it is asked for: its accelerator stands for it. */
export function systemLabel({ name, gpuName, accelerator }: System): string {
  return name === 'local' ? `local ${gpuName ?? accelerator}` : name;
}
