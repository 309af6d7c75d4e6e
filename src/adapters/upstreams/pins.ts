import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UpstreamsFile } from '../../core/upstreams/upstreams-file.schema.ts';
import { faultsError } from '../../errors.ts';
import { parseJson, storageError } from '../files.ts';
import { validateData } from '../validate.ts';

/**
 * Reads where each upstream comes from: experiment/stacks/upstreams.json of the package. Only the package's own:
 * `--source` and `--ref` choose others, and say so in the lock.
 * @throws SuperOffloadError 'config' with every fault of the file, 'environment' where it cannot be read.
 */
export function readPins(packageRoot: string): UpstreamsFile['upstreams'] {
  const path = join(packageRoot, 'experiment/stacks/upstreams.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw storageError(error, path);
  }
  const value = parseJson(text, path);
  const faults = validateData('upstreams', value, path);
  if (faults.length > 0) throw faultsError('config', faults);
  return (value as UpstreamsFile).upstreams;
}
