import { SuperOffloadError } from '../../errors.ts';

/**
 * A file of a newer version of this tool may mean something else by the same names: it is refused, not guessed.
 * @param place the file, for the message
 * @throws SuperOffloadError 'config'
 */
export function refuseNewer(place: string, version: unknown, known: number): void {
  if (typeof version !== 'number' || version <= known) return;
  throw new SuperOffloadError({
    code: 'config',
    message: `${place}: schema version ${version} is newer than ${known}, the newest known here`,
    hint: 'read it with the superoffload that wrote it, or a newer one',
  });
}
