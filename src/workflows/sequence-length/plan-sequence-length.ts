import type { Case } from '../../core/experiment/case.ts';
import { entryFor, sequenceParallelOf } from '../../core/experiment/grid-batch.ts';
import { doubledLengths, lengthsBetween, lengthText } from '../../core/search/between.ts';
import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { FrontierPlan } from '../frontier/frontier.ts';
import { planFrontier, type FrontierRequest, type FrontierVerb } from '../frontier/frontier-request.ts';

/** From the experiment's shortest to so many times as much: 16K to 1M, as in the paper's figure 12. */
const longestOverShortest = 64;

/**
 * Plans the search for the longest sequence of each mode and size, or the launch of the length that was given.
 * @throws SuperOffloadError 'usage' where ranks cannot share the sequences or heads; see planFrontier for the rest.
 */
export async function planSequenceLength(context: Context, request: FrontierRequest): Promise<FrontierPlan> {
  return planFrontier(context, request, sequenceLengthVerb(request.resolution));
}

function sequenceLengthVerb(resolution: number | null): FrontierVerb {
  return {
    experiment: 'sequence_length',
    isGiven: (flags) => flags.sequenceLength !== undefined,
    gridFlags: (experiment, { machine }, flags) => {
      const section = experiment[machine.system.accelerator];
      requireResolution(resolution, sequenceParallelOf(section, flags), section.sequenceLength);
      const models = flags.models ?? entryFor(section, flags.chips ?? 1).models;
      const lengths =
        flags.sequenceLength === undefined
          ? doubledLengths(section.sequenceLength, section.sequenceLength * longestOverShortest)
          : [flags.sequenceLength];
      return lengths.map((sequenceLength) => ({ ...flags, models, sequenceLength }));
    },
    keyOf: ({ mode, model }) => `${model.name} ${mode}`,
    orderOf: ({ sequenceLength }) => sequenceLength,
    between: (step) => (ran, failed) =>
      lengthsBetween(ran?.sequenceLength ?? 0, failed.sequenceLength, step).map((sequenceLength): Case => ({
        ...failed,
        sequenceLength,
      })),
    nameOf: ({ sequenceLength }) => lengthText(sequenceLength),
  };
}

/** The widest gap between two lengths of the experiment may hold so many finer ones. */
const mostBetween = 4096;

/** Every length between two of the experiment's must be one that the ranks can share, and there is an end to them. */
function requireResolution(resolution: number | null, ranks: number, shortest: number): void {
  if (resolution === null) return;
  const widest = (shortest * longestOverShortest) / 2;
  const least = Math.ceil(widest / mostBetween / ranks) * ranks;
  if (resolution % ranks !== 0) {
    const problem = `${resolution} tokens cannot be shared by the ${ranks} ranks of a sequence`;
    throw faultsError('usage', [{ place: '--resolution', problem, expected: `a multiple of ${ranks}` }]);
  }
  if (resolution < least) {
    const problem = `${resolution} tokens are too fine a step between lengths up to ${lengthText(2 * widest)}`;
    throw faultsError('usage', [{ place: '--resolution', problem, expected: `${least} or more` }]);
  }
}
