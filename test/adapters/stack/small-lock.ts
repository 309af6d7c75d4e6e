import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { probeMachine } from '../../../src/adapters/probe/machine.ts';
import { treeHash } from '../../../src/adapters/upstreams/tree-hash.ts';
import type { StackLock } from '../../../src/core/stack/lock.ts';
import { realStack } from '../../real-stack.ts';

/** Of this machine's CPU: an op that is named so can be used here. */
export const { isa } = (await probeMachine({})).cpu;

export function git(tree: string, ...args: string[]): string {
  return execFileSync('git', ['-C', tree, ...args])
    .toString()
    .trim();
}

/** What an install would write of the small stack: a patched DeepSpeed of the index, a patched Megatron of git. */
export async function lockOf(
  { site, tree }: { readonly site: string; readonly tree: string },
  python: string,
  ops: string,
): Promise<StackLock> {
  const blob = (path: string): string => git(tree, 'hash-object', path);
  const patched = { seriesSha256: 'a'.repeat(64), skipped: [], overlay: [] };
  const upstream = { url: null, ref: null, version: null, dirtyDiffSha256: null, tree: await treeHash(tree) };
  return {
    ...{ schemaVersion: 2, name: 'pip', origin: 'private', accelerator: 'cpu', hash: 'b'.repeat(64) },
    python: { path: python, version: '3.11.7', base: realStack.python },
    torch: { version: '2.15.0', cuda: null },
    deepspeed: { version: '0.19.8' },
    ops: {
      ...{ directory: ops, key: `key-${isa}`, built: ['cpu_adam'], flags: { cpu_adam: '-O3' } },
      ...{ compiler: 'c++ 12', ninja: '1.13' },
    },
    upstreams: {
      deepspeed: {
        ...{ ...upstream, commit: null, version: '0.19.8', directory: site },
        patches: {
          ...patched,
          applied: [{ file: '0001-architectures.patch', sha256: 'c'.repeat(64) }],
          files: [{ path: 'deepspeed/builder.py', blob: blob(join(site, 'deepspeed/builder.py')) }],
        },
      },
      megatron: {
        ...{ ...upstream, commit: git(tree, 'rev-parse', 'HEAD'), directory: tree, ref: 'superoffload' },
        patches: {
          ...patched,
          applied: [{ file: '0001-steps.patch', sha256: 'd'.repeat(64) }],
          files: [{ path: 'megatron/training.py', blob: blob(join(tree, 'megatron/training.py')) }],
        },
      },
    },
    apex: { kind: 'overlay', extensions: [] },
    packages: { alpha: '1.0', 'deep-speed': '0.19.8' },
    request: {
      ...{ torch: null, deepspeed: null, python: null, overlay: false },
      ...{ megatron: true, apex: 'auto', sources: {}, refs: {} },
    },
    ...{
      requirementsSha256: null,
      hashesChecked: false,
      pathPrefix: [],
      environment: { PYTHONNOUSERSITE: '1' },
    },
    ...{ wheels: {}, runtime: null },
    ...{ createdUtc: '2026-01-02T03:04:05.678Z', installMs: 1 },
  };
}
