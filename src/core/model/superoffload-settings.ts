import { overlaySection } from '../deepspeed/known-keys.ts';
import { modes } from '../deepspeed/modes/registry.ts';
import type { Case } from '../experiment/case.ts';

/** The section `superoffload` of the DeepSpeed JSON, as far as memory and time depend on it (patches/deepspeed). */
export interface SuperoffloadSettings {
  /** `overlap`: this project's optimizer in the place of ZeRO-3's. */
  readonly optimizer: string;
  /** `registered`: ZeRO's CPU offload in page-locked blocks of the size that it asks for. */
  readonly hostMemory: string;
  /** `fused`: ZeRO-2's CPU offload leaves casts to Adam: 16-bit gradients come down, 16-bit weights are written. */
  readonly casts: string;
  /** Elements that are stepped and sent back together, at most. */
  readonly subgroupElements: number;
  /** Share of the optimizer's host memory that may be doubled, 0 to 1. */
  readonly speculation: number;
  readonly pinMemory: boolean;
  /** Copies have streams of their own; else they run on the stream that computes. */
  readonly copyStreams: boolean;
  /** Adam casts in its one pass; else there are two passes besides. */
  readonly fusedCasts: boolean;
  /** Weights return subgroup by subgroup; else all at the end. */
  readonly earlyReturn: boolean;
  /** The next forward pass begins before all weights are back. */
  readonly earlyForward: boolean;
  /** Of CPU Adam; 0: as many as there are cores for a rank. */
  readonly adamThreads: number;
  /** Each of them stays on a core of its own. */
  readonly bindThreads: boolean;
}

/** What the overlay's settings.py takes where nothing is said. */
const defaults: SuperoffloadSettings = {
  optimizer: 'published',
  hostMemory: 'published',
  casts: 'published',
  subgroupElements: 2 ** 25,
  speculation: 0.5,
  pinMemory: true,
  copyStreams: true,
  fusedCasts: true,
  earlyReturn: true,
  earlyForward: false,
  adamThreads: 0,
  bindThreads: true,
};

/** The settings of a case: its `--ds superoffload.KEY=VALUE`, else its mode's, else the overlay's own. */
export function superoffloadSettings(
  subject: Pick<Case, 'mode' | 'deepspeedOverrides'>,
): SuperoffloadSettings {
  const own = modes[subject.mode].ownSections as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const read = <T extends string | number | boolean>(key: string, fallback: T): T => {
    const value = subject.deepspeedOverrides[`${overlaySection}.${key}`] ?? own[overlaySection]?.[key];
    return typeof value === typeof fallback ? (value as T) : fallback;
  };
  return {
    optimizer: read('optimizer', defaults.optimizer),
    hostMemory: read('host_memory', defaults.hostMemory),
    casts: read('casts', defaults.casts),
    subgroupElements: read('subgroup_elements', defaults.subgroupElements),
    speculation: read('speculation', defaults.speculation),
    pinMemory: read('pin_memory', defaults.pinMemory),
    copyStreams: read('copy_streams', defaults.copyStreams),
    fusedCasts: read('fused_casts', defaults.fusedCasts),
    earlyReturn: read('early_return', defaults.earlyReturn),
    earlyForward: read('early_forward', defaults.earlyForward),
    adamThreads: read('adam_threads', defaults.adamThreads),
    bindThreads: read('bind_threads', defaults.bindThreads),
  };
}

/** Whether the overlap optimizer steps this case: by its mode, or by the key beside another ZeRO-3 mode. */
export function usesOverlap(subject: Pick<Case, 'mode' | 'deepspeedOverrides'>): boolean {
  const { zeroStage, offloadsOptimizer } = modes[subject.mode];
  return zeroStage === 3 && offloadsOptimizer && superoffloadSettings(subject).optimizer === 'overlap';
}
