/** The git mirrors of the upstreams that some tests need: SUPEROFFLOAD_TEST_SOURCES names their folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const patches = join(import.meta.dirname, '..', '..', 'patches');
export const megatronCommit = 'f2c70ad9db2fa8a210f17086ee9c201541e6d539';

export function upstreamSource(name: string): { readonly path: string } | { readonly missing: string } {
  const folder = process.env['SUPEROFFLOAD_TEST_SOURCES'];
  if (folder === undefined) return { missing: 'SUPEROFFLOAD_TEST_SOURCES is not set' };
  const path = join(folder, name);
  return existsSync(path) ? { path } : { missing: `no ${path}` };
}
