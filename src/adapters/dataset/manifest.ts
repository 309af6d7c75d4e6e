import { join } from 'node:path';
import type { DatasetManifest } from '../../core/dataset/manifest-file.schema.ts';
import { faultsError } from '../../errors.ts';
import { readJson } from '../files.ts';
import { validateData } from '../validate.ts';

export type { DatasetManifest };
export type PublishedFile = DatasetManifest['files'][number];

/** @throws SuperOffloadError 'config' with every fault of training_datasets/manifest.json. */
export async function readManifest(packageRoot: string): Promise<DatasetManifest> {
  const path = join(packageRoot, 'training_datasets', 'manifest.json');
  const data = await readJson(path);
  const faults =
    data === undefined ? [{ place: path, problem: 'is missing' }] : validateData('dataset', data, path);
  if (faults.length > 0) throw faultsError('config', faults);
  return data as DatasetManifest;
}
