/**
 * What PyTorch's host allocator makes of a pinned block. It rounds up to a power of two: measured on torch 2.11, and so
 * since 1.11 (pytorch/pytorch, issue 95823). `none`: blocks registered in place, or an allocator told not to round.
 */
export const pinnedRoundings = ['power-of-two', 'none'] as const;
export type PinnedRounding = (typeof pinnedRoundings)[number];

/** Where versions of the software take memory differently. */
export interface SoftwareMemory {
  readonly pinnedRounding: PinnedRounding;
  /** SuperOffload's worker gets gradients through shared memory, and copies them once more into a buffer of its own. */
  readonly superOffloadCopies: boolean;
  /** ZeRO-2 has all 16-bit gradients on the chip when the backward pass ends, not a bucket and the rank's share. */
  readonly wholeStage2Gradients: boolean;
  /** An optimizer on the GPU steps on all of a rank's partition at once, with one fp32 temporary of Adam's beside it. */
  readonly unfusedGpuAdam: boolean;
}

export const softwareNames = ['measured', 'paper'] as const;
export type SoftwareName = (typeof softwareNames)[number];

/**
 * `measured`: DeepSpeed 0.19.8 on torch 2.11, read in its source and measured on H200 GPUs (bench/README.md).
 *
 * `paper`: what the published Figure 13 implies of the software that it was made with. The rounding is what the
 * artifact's torch 2.7 does, and alone explains why ZeRO-Offload ended at 15B in 480 GB. That SuperOffload had no
 * copies of its gradients follows from 25B in 480 GB. The last two are inferences from the bars themselves, nothing that
 * is in DeepSpeed 0.19.8: ZeRO-Offload ends at 20B on 4 and on 16 chips and ZeRO-2 at 20B on 16, which 96 GB explain
 * only with 4 bytes a parameter that are not shared by the ranks; ZeRO-3 ends at 13B on 4 chips and at 44B on 16, which
 * takes about 26 bytes a parameter of the partition.
 */
export const software = {
  measured: {
    pinnedRounding: 'power-of-two',
    superOffloadCopies: true,
    wholeStage2Gradients: false,
    unfusedGpuAdam: false,
  },
  paper: {
    pinnedRounding: 'power-of-two',
    superOffloadCopies: false,
    wholeStage2Gradients: true,
    unfusedGpuAdam: true,
  },
} as const satisfies Record<SoftwareName, SoftwareMemory>;
