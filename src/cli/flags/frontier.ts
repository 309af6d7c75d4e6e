import type { Command } from '@commander-js/extra-typings';
import { faultsError, type SuperOffloadError } from '../../errors.ts';
import type { FrontierRequest } from '../../workflows/frontier/frontier-request.ts';
import { caseWorkloadOption, declareCaseFlags, requestOf } from './case.ts';
import { given } from './given.ts';
import { parseDuration } from './values.ts';

/** The flags of a verb that searches: those of a case, and how far the search goes. */
export function declareFrontierFlags(command: Command, resolution: string) {
  return declareCaseFlags(command)
    .addOption(caseWorkloadOption)
    .option('--resolution <step...>', resolution)
    .option(
      '--fresh',
      'search with new launches alone (default: earlier runs of the same case and stack count)',
    )
    .option('--timeout <duration>', 'end a run after this long, such as 10m', parseDuration)
    .option('--stall-timeout <duration>', 'call a run hung after this long without a step', parseDuration)
    .option('--dry-run', 'print candidates, prediction and first launch, start nothing');
}

export type FrontierOptions = ReturnType<ReturnType<typeof declareFrontierFlags>['opts']>;

export function frontierRequest(options: FrontierOptions, resolution: number | null): FrontierRequest {
  const request = requestOf(options, {
    limits: {
      ...given('timeoutMs', options.timeout),
      ...given('minStallMs', options.stallTimeout),
      ...(options.stallTimeout === undefined ? {} : { firstStepMs: options.stallTimeout, stallFactor: 0 }),
    },
    dryRun: options.dryRun ?? false,
  });
  return { ...request, resolution, fresh: options.fresh ?? false };
}

/** `1`, `1 layer`, `4 layers`: how many layers lie between two candidates. */
export function parseLayers(words: readonly string[]): number {
  const match = /^([1-9]\d{0,3})(?: *layers?)?$/.exec(words.join(' ').trim());
  if (match === null) throw noResolution(words, 'a number of layers, such as 1 layer');
  return Number(match[1]);
}

/** `4096`, `16K`, `16K tokens`: how many tokens lie between two candidates; K is 1024. */
export function parseTokens(words: readonly string[]): number {
  const match = /^([1-9]\d{0,8})(K?)(?: *tokens)?$/i.exec(words.join(' ').trim());
  if (match === null) throw noResolution(words, 'a number of tokens, such as 16K');
  return Number(match[1]) * (match[2] === '' ? 1 : 1024);
}

function noResolution(words: readonly string[], expected: string): SuperOffloadError {
  const problem = `${JSON.stringify(words.join(' '))} is no step`;
  return faultsError('usage', [{ place: '--resolution', problem, expected }]);
}
