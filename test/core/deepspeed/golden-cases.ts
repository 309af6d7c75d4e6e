import { modeNames, type Case } from '../../../src/core/experiment/case.ts';
import { modes } from '../../../src/core/deepspeed/modes/registry.ts';
import { sampleCase } from '../sample-case.ts';

/** Every mode x {1, 2, 4, 16} chips, those of Ulysses with all of them on one sequence, with the precisions and accumulations spread over them. */
export function goldenCases(): { name: string; case: Case }[] {
  const shapes = [
    { chips: 1, microBatch: 8, gradientAccumulation: 1, dtype: 'bf16' },
    { chips: 2, microBatch: 4, gradientAccumulation: 2, dtype: 'fp32' },
    { chips: 4, microBatch: 4, gradientAccumulation: 1, dtype: 'bf16' },
    { chips: 16, microBatch: 2, gradientAccumulation: 4, dtype: 'fp16' },
  ] as const;
  return modeNames.flatMap((mode) =>
    shapes.flatMap((shape) => {
      const shared = modes[mode].sharesSequences;
      if (shared && shape.chips === 1) return [];
      const dataParallel = shared ? 1 : shape.chips;
      const testCase = sampleCase({
        ...shape,
        mode,
        ...(shared ? { workload: 'megatron', sequenceParallel: shape.chips } : {}),
        ...(shared && shape.dtype === 'fp32' ? { attention: 'unfused' } : {}),
        globalBatch: shape.microBatch * shape.gradientAccumulation * dataParallel,
        gradientClipping: shape.dtype === 'fp16' ? 1 : 0,
        ratio: modes[mode].defaultRatio,
      });
      return [{ name: `${mode}-${shape.chips}`, case: testCase }];
    }),
  );
}
