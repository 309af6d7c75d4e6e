import type { Placement } from '../plan/run-plan.ts';
import { formatNumber } from '../text/format.ts';

/** Where a run's ranks and its memory lay, in words. */
export function placementText(placement: Placement): string {
  const { binding, hostNumaNodes, exclusiveHost, hostGiB, machine } = placement;
  return [
    binding === 'none' ? 'ranks not bound' : `ranks bound by ${binding}`,
    ...(hostNumaNodes === null ? [] : [`host memory of NUMA nodes ${hostNumaNodes.join(', ')}`]),
    ...(hostGiB === null ? [] : [`${formatNumber(hostGiB)} GiB of host memory allowed`]),
    ...(exclusiveHost ? ['the whole host'] : []),
    ...(machine?.pageBytes ? [`${machine.pageBytes / 1024} KiB pages`] : []),
    ...(machine?.coherentGpuMemoryMode ? [`driver memory mode ${machine.coherentGpuMemoryMode}`] : []),
  ].join(', ');
}
