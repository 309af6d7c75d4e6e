import { expect } from 'vitest';
import type { CampaignResult } from '../../src/workflows/campaign/run-campaign.ts';
import { createSandbox, type ProgramEnd, type Sandbox } from './program.ts';
import { toySizes, writeToyExperiment, writeToyStack, type ToyStack } from './toy-stack.ts';

export interface ToyCampaign extends Sandbox {
  readonly stack: ToyStack;
}

/** A folder with an experiment of so many cases, and a state folder with the toy stack. */
export async function createToyCampaign(count: number): Promise<ToyCampaign> {
  const sandbox = createSandbox();
  const stack = await writeToyStack(sandbox.home);
  writeToyExperiment(sandbox.cwd, count);
  return { ...sandbox, stack };
}

export const begin = ['campaign', 'run', 'experiment/toy.json', '--stack', 'toy'];
export const goOn = ['campaign', 'run', 'toy', '--resume'];

/** What `campaign run --json` printed. */
export function resultOf({ stdout, stderr }: ProgramEnd): CampaignResult {
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout) as CampaignResult;
}

/** How often each size was launched, in the order of the sizes. */
export function launchesOf({ stack }: ToyCampaign, count: number): number[] {
  const hidden = stack.launches().map((line) => Number(line.split(' ')[1]));
  return toySizes(count).map((size) => hidden.filter((each) => each === size.hidden).length);
}
