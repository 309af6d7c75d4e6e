import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SuperOffloadError } from '../../errors.ts';

/**
 * Whether a DeepSpeed source tree knows `offload_optimizer.super_offload`. Neither its name nor its version says so:
 * the paper's branch and upstream's own repository may both be installed from source.
 * @param directory the folder that `deepspeed` is imported from.
 * @throws SuperOffloadError 'environment' when the tree cannot be read.
 */
export async function hasSuperOffloadKey(directory: string): Promise<boolean> {
  const path = join(directory, 'deepspeed', 'runtime', 'zero', 'offload_config.py');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const message = `the stack's DeepSpeed cannot be read: ${path}`;
    const hint = 'install the stack again: superoffload install --stack NAME --reinstall';
    throw new SuperOffloadError({ code: 'environment', message, hint, cause: error });
  }
  return /^\s*super_offload\s*:/m.test(text);
}
