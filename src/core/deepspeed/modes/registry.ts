import { modeNames, type ModeName } from '../../experiment/case.ts';
import { overlaySection } from '../known-keys.ts';
import { ddp } from './ddp.ts';
import type { Mode } from './mode.ts';
import { prism } from './prism.ts';
import { prismOverlap } from './prism-overlap.ts';
import { prismUlysses } from './prism-ulysses.ts';
import { ulysses } from './ulysses.ts';
import { zero2 } from './zero-2.ts';
import { zero3 } from './zero-3.ts';
import { zeroInfinity, zeroInfinityParam } from './zero-infinity.ts';
import { zeroOffload } from './zero-offload.ts';

/** Every mode there is. */
export const modes = {
  prism,
  prism_overlap: prismOverlap,
  zero_offload: zeroOffload,
  zero_infinity: zeroInfinity,
  zero_infinity_param: zeroInfinityParam,
  zero_2: zero2,
  zero_3: zero3,
  ddp,
  prism_ulysses: prismUlysses,
  ulysses,
} as const satisfies Record<ModeName, Mode>;

/** Whether a mode is the overlay's of patches/deepspeed: only that reads the section which the mode adds. */
export function isOverlayMode(mode: ModeName): boolean {
  return overlaySection in modes[mode].ownSections;
}

/** The mode of a name or one of its aliases, in any case, with `-` for `_`; undefined when there is none. */
export function findMode(name: string): Mode | undefined {
  const wanted = name.trim().toLowerCase();
  const spelled = wanted.replaceAll('-', '_');
  return Object.values<Mode>(modes).find(
    (mode) => mode.name === spelled || mode.aliases.includes(wanted) || mode.aliases.includes(spelled),
  );
}

/** All names and aliases, for a message that lists what was expected. */
export function modeSpellings(): string {
  return modeNames.map((name) => (name === 'prism' ? 'prism (or superoffload)' : name)).join(', ');
}
