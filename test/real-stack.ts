import { join } from 'node:path';
import { loadStack } from '../src/adapters/stack/store.ts';
import { stackEnvironment } from '../src/core/stack/environment.ts';

/** The state folder that test/global-setup.ts installs into. */
export const sharedHome = join(import.meta.dirname, '..', '.superoffload');

const lock = await loadStack(sharedHome, 'pip');
if (lock === undefined)
  throw new Error(`no stack in ${sharedHome}: run the tests with vitest, or install it`);

/** The installed stack that all tests of the real engine share. */
export const realStack = {
  python: lock.python.path,
  env: { ...stackEnvironment(lock, process.env), OMP_NUM_THREADS: '1' } as Record<string, string>,
};
