import type { Fault } from '../../errors.ts';
import { findMode, isOverlayMode, modes } from '../deepspeed/modes/registry.ts';
import { modeNames, type Case, type ModeName } from '../experiment/case.ts';

/** Names that stand for several modes: what a user wants, not how DeepSpeed is told. */
const groups: Readonly<Record<string, readonly ModeName[]>> = {
  prism: ['prism', 'prism_overlap', 'prism_ulysses'],
  zero_infinity: ['zero_infinity', 'zero_infinity_param'],
  none: ['ddp', 'zero_2', 'zero_3', 'ulysses'],
};

export const tuneModeWords = ['prism', 'zero_offload', 'zero_infinity', 'none'] as const;

export type ModesResult =
  | { readonly ok: true; readonly modes: readonly ModeName[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * The modes behind `--mode` words: `prism` is the published one and prism_overlap, `zero_infinity` also the one whose
 * weights lie on the host, `none` all that keep everything on the GPU. Any other name is that mode alone.
 */
export function modesToTune(words: readonly string[]): ModesResult {
  const found = words.map((word) => ({ word, modes: modesOfWord(word) }));
  const faults = found
    .filter((item) => item.modes.length === 0)
    .map(({ word }) => ({
      place: '--mode',
      problem: `there is no mode "${word}"`,
      expected: `${tuneModeWords.join(', ')}, or one mode: ${modeNames.join(', ')}`,
    }));
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, modes: [...new Set(found.flatMap((item) => item.modes))] };
}

function modesOfWord(word: string): readonly ModeName[] {
  const spelled = word.trim().toLowerCase().replaceAll('-', '_');
  const own = findMode(word)?.name;
  const group = Object.hasOwn(groups, own ?? spelled) ? groups[own ?? spelled] : undefined;
  return group ?? (own === undefined ? [] : [own]);
}

/** Of modes those that can train the case at all: ranks that share sequences need a mode that does, others one that does not. */
export function modesFor(asked: readonly ModeName[] | null, sequenceParallel: number): ModeName[] {
  return (asked ?? modeNames).filter((name) => modes[name].sharesSequences === sequenceParallel > 1);
}

/** Nothing of the optimizer or the weights leaves the GPU. */
export function keepsAllOnGpu(name: ModeName): boolean {
  return !modes[name].offloadsOptimizer && !modes[name].offloadsParameters;
}

/** The same of a case: the overlap optimizer at ratio 0 steps all of it on the GPU. Kept activations may still leave it. */
export function offloadsNothing({
  mode,
  ratio,
  activationOffload,
}: Pick<Case, 'mode' | 'ratio' | 'activationOffload'>): boolean {
  return !activationOffload && (keepsAllOnGpu(mode) || (isOverlayMode(mode) && ratio === 0));
}
