import type { System } from '../experiment/case.ts';
import { hostGiBFor } from '../experiment/system.ts';

/** Host memory a chip of the machines that the published figures were made on: 480 GB alone, 240 GB in NVL2 nodes. */
const gibPerGB = 1e9 / 2 ** 30;
const paperHostGB = (chips: number): number => (chips === 1 ? 480 : 240);

/**
 * What to say beside a bar of the published Figure 13 on a system whose chips have less host memory than the paper's
 * had, for example DeltaAI and Alps with about 120 GB. The modes that offload cannot reach their bars there.
 * @returns null where the system has as much (within 2%, as LPDDR is counted), or does not say.
 */
export function paperHostNote(
  system: Pick<System, 'name' | 'hostGiB' | 'hostGiBPerChip' | 'chipsPerNode'>,
  chips: number,
  exclusiveHost = false,
): string | null {
  const ranks = Math.min(chips, system.chipsPerNode);
  const hostGiB = hostGiBFor(system, ranks, exclusiveHost);
  const paperGB = paperHostGB(chips);
  if (hostGiB === null || hostGiB / ranks >= 0.98 * paperGB * gibPerGB) return null;
  return (
    `the paper's machine had ${paperGB} GB of host memory a chip, ${system.name} has ${Math.round(hostGiB / ranks)} GiB` +
    (exclusiveHost || ranks === system.chipsPerNode ? '' : ', more with --exclusive-host') +
    ': sizes that the host limits end earlier here'
  );
}
