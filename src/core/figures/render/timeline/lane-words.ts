import type { Lane, LaneGroup, LaneKey, PartKey } from '../../timeline/timeline-data.ts';
import { pictureNumber } from '../drawing/picture-text.ts';

/** What a lane is called, beside the picture and in tables. */
export const laneTitles: Readonly<Record<LaneKey, string>> = {
  host: 'host',
  gpu: 'GPU computes',
  down: 'copies to host',
  up: 'copies to GPU',
  adam: 'CPU Adam',
  waits: 'Adam waits',
  idle: 'none of these',
  gradients: 'gradient copies',
  passes: 'gradient passes',
  queue: 'queues',
  workerCopy: 'worker copies',
  weights: 'weights return',
  hostWaits: 'host waits',
};

/** What a part of a step is called in tables: the same words for every mode. */
export const partTitles: Readonly<Record<PartKey, string>> = {
  forward: 'forward, on the host',
  backward: 'backward, on the host',
  step: 'optimizer step, on the host',
  gradientCopies: 'gradient copies',
  gradientPasses: 'passes over gradients, on the host',
  queue: 'queues to the worker and back',
  workerCopy: "copies in the worker's process",
  adam: 'CPU Adam',
  parameterReturn: 'parameter return, with its casts',
  adamWaits: 'Adam waits for gradients',
  waitsForAdam: 'host waits for Adam or its worker',
  waitsForCopies: 'host waits for the GPU or copies',
};

/** A copy below this share of its lane's bytes is a scalar, and not told of. */
const smallShare = 0.002;

/** The groups of a lane that a reader must know of. */
export function tellingGroups({ groups }: Pick<Lane, 'groups'>): readonly LaneGroup[] {
  const bytes = groups.reduce((sum, group) => sum + (group.bytes ?? 0), 0);
  return groups.filter((group) => group.bytes === null || group.bytes > smallShare * bytes);
}

/** `forward 154, backward 1495 ms`, `4.24 GB at 54.4, pageable 8.48 at 13.6 GB/s`, `from 559 to 2089 ms`. */
export function laneDetail(lane: Lane): string {
  switch (lane.key) {
    case 'host':
    case 'queue':
    case 'hostWaits':
      return `${lane.groups.map(({ kind, ms }) => `${kind} ${pictureNumber(ms)}`).join(', ')} ms`;
    case 'down':
    case 'up':
      return copyText(tellingGroups(lane));
    case 'adam':
      return `from ${pictureNumber(lane.fromMs)} to ${pictureNumber(lane.toMs)} ms`;
    case 'waits':
      return 'for gradients';
    case 'idle':
      return 'casts, copies on the host, waiting';
    case 'gradients':
      return 'in host memory';
    case 'passes':
      return 'scaling and clipping, on the host';
    case 'workerCopy':
      return 'of gradients, out of shared memory';
    case 'weights':
      return 'casts and copies, on the host';
    case 'gpu':
      return '';
  }
}

/** Page-locked memory first; the unit of bytes is said once. */
function copyText(groups: readonly LaneGroup[]): string {
  const sorted = [...groups].sort((a, b) => (a.kind < b.kind ? 1 : -1));
  const parts = sorted.map(({ kind, bytes, gbps }, index) => {
    const memory = kind === 'pageable' ? 'pageable ' : '';
    const unit = index === 0 ? ' GB' : '';
    return `${memory}${pictureNumber((bytes ?? 0) / 1e9)}${unit} at ${pictureNumber(gbps ?? 0)}`;
  });
  return parts.length === 0 ? '' : `${parts.join(', ')} GB/s`;
}
