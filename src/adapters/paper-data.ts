import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PaperFile } from '../core/figures/paper/paper-file.schema.ts';
import { paperFaults } from '../core/figures/paper/paper.ts';
import { parseJson } from '../core/json/json-text.ts';
import { faultsError } from '../errors.ts';
import { validateData } from './validate.ts';

/**
 * What the paper published, as the package has it: a user's folder cannot change that.
 * @throws SuperOffloadError 'config' with every fault, with its JSON path.
 */
export function readPaper({ packageRoot }: { readonly packageRoot: string }): PaperFile {
  const path = join(packageRoot, 'experiment/paper/figures.json');
  const parsed = parseJson(readFileSync(path, 'utf8'), path);
  if (!parsed.ok) throw faultsError('config', parsed.faults);
  const wrong = validateData('paper', parsed.value, path);
  if (wrong.length > 0) throw faultsError('config', wrong);
  const file = parsed.value as PaperFile;
  const faults = paperFaults(file, path);
  if (faults.length > 0) throw faultsError('config', faults);
  return file;
}
