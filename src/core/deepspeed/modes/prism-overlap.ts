import { overlapParts } from '../../model/overlap-memory.ts';
import { cpuOffload, type Mode } from './mode.ts';

/** SuperOffload with this project's optimizer: the idea of the paper in an implementation of its own. */
export const prismOverlap: Mode = {
  name: 'prism_overlap',
  title: 'SuperOffload (overlap)',
  aliases: ['prism-overlap', 'superoffload_overlap', 'overlap'],
  zeroStage: 3,
  needsCuda: false,
  offloadsOptimizer: true,
  offloadsParameters: false,
  // The overlay takes the place of ZeRO-3's CPU optimizer; a DeepSpeed without it runs plain ZeRO-3 offload.
  superOffload: false,
  sharesSequences: false,
  defaultRatio: 1,
  workerProcesses: 0,
  ownSections: { superoffload: { optimizer: 'overlap' } },
  zeroOptimization: ({ ratio }) => ({
    stage: 3,
    overlap_comm: false,
    offload_optimizer: { ...cpuOffload, ratio: ratio ?? 1 },
  }),
  memory: overlapParts,
  sources: [
    'patches/deepspeed: needs the overlay of this project (superoffload install, or superoffload patch)',
  ],
};
