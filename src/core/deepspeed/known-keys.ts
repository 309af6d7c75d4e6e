import { versionOrder } from '../stack/version.ts';

/** The DeepSpeed versions whose keys are committed under experiment/schema, oldest first. */
export const knownVersions = ['0.18.0', '0.19.8'] as const;
export type KnownVersion = (typeof knownVersions)[number];

export const newestKnown = knownVersions[1];

/**
 * The section that the overlay of patches/deepspeed reads; DeepSpeed without it ignores the section. Whether a stack
 * has the overlay is another question than whether the keys are right: core/patches/overlay-trouble.ts.
 */
export const overlaySection = 'superoffload';

/** Which committed key list stands for an installed DeepSpeed, and what to tell the user about it. */
export interface KeyList {
  readonly version: KnownVersion;
  /** null when the installed version is one of the known ones. */
  readonly note: string | null;
}

/**
 * Chooses the key list of the newest known version that is not above `installed`.
 * Older than all of them: the oldest, with a note that such a DeepSpeed has no SuperOffload.
 */
export function keyListFor(installed: string): KeyList {
  const best = knownVersions.findLast((version) => versionOrder(version, installed) <= 0);
  if (best === undefined) {
    return {
      version: knownVersions[0],
      note: `DeepSpeed ${installed} is older than ${knownVersions[0]}, the first with SuperOffload`,
    };
  }
  if (best === newestKnown && versionOrder(installed, newestKnown) > 0) {
    return {
      version: best,
      note: `DeepSpeed ${installed} is newer than ${newestKnown}, the newest version known here: its keys are checked against ${newestKnown}`,
    };
  }
  return {
    version: best,
    note:
      versionOrder(best, installed) === 0
        ? null
        : `keys of DeepSpeed ${installed} are checked against ${best}; DeepSpeed itself checks the rest`,
  };
}
