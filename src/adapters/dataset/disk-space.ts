import { SuperOffloadError } from '../../errors.ts';
import { probeDisk } from '../probe/disk.ts';

/** @throws SuperOffloadError 'environment' where a folder cannot be written to, or fewer bytes are free. */
export function requireSpace(folder: string, bytes: number): void {
  const { freeBytes, problem } = probeDisk(folder);
  if (problem === null && (freeBytes === null || freeBytes >= bytes)) return;
  const megabytes = (count: number): string => `${(count / 1e6).toFixed(0)} MB`;
  const shortage = `${megabytes(freeBytes ?? 0)} are free there, and ${megabytes(bytes)} are needed`;
  throw new SuperOffloadError({
    code: 'environment',
    message: `${folder}: ${problem ?? shortage}`,
    hint: 'free space, or choose another folder with --out DIR or SUPEROFFLOAD_HOME',
  });
}
