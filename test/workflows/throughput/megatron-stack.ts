import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stackPaths } from '../../../src/adapters/stack/store.ts';
import { migrateLock } from '../../../src/core/stack/lock.ts';
import type { StackLock } from '../../../src/core/stack/lock.ts';
import type { ThroughputRequest } from '../../../src/workflows/throughput/plan-throughput.ts';
import { cwd, installed, nvidiaSmi, plan } from './plan-context.ts';

export type Flags = ThroughputRequest['flags'];

/** Changes the lock that `installed` wrote. */
export function lockWith(change: (lock: StackLock) => object): void {
  const { lock } = stackPaths(join(cwd, 'home'), 'pip');
  const current = migrateLock(JSON.parse(readFileSync(lock, 'utf8'))) as StackLock;
  writeFileSync(lock, JSON.stringify({ ...current, ...change(current) }));
}

const megatronLock = () => ({
  url: 'https://example.org/megatron.git',
  ref: 'superoffload',
  commit: 'f'.repeat(40),
  version: null,
  directory: join(cwd, 'megatron'),
  dirtyDiffSha256: null,
  tree: '0',
  patches: { seriesSha256: '0', applied: [{ file: 'a', sha256: '0' }], skipped: [], overlay: [], files: [] },
});

export function withMegatron(accelerator: 'cpu' | 'cuda' = 'cpu'): void {
  if (accelerator === 'cuda') nvidiaSmi();
  installed(accelerator);
  lockWith(() => ({ upstreams: { megatron: megatronLock() }, apex: { kind: 'overlay', extensions: [] } }));
}

/** A DeepSpeed from a repository, with or without upstream's key. */
export function deepspeedFromSource(hasKey: boolean): void {
  const directory = join(cwd, 'deepspeed-src');
  mkdirSync(join(directory, 'deepspeed/runtime/zero'), { recursive: true });
  const fields = `    ratio: float = 1.0\n${hasKey ? '    super_offload: bool = False\n' : ''}`;
  writeFileSync(join(directory, 'deepspeed/runtime/zero/offload_config.py'), `class C:\n${fields}`);
  lockWith(({ upstreams }) => ({
    upstreams: { ...upstreams, deepspeed: { ...megatronLock(), directory, commit: 'd'.repeat(40) } },
  }));
}

export const run = (flags: Flags = {}, change: Partial<ThroughputRequest> = {}) =>
  plan({ workload: 'megatron', ...flags }, change);
export const failure = async (flags: Flags, change: Partial<ThroughputRequest> = {}) =>
  (await run(flags, change).catch((error: unknown) => error)) as Error & { code?: string; hint?: string };

/** `--config` with this content. */
export function file(content: object): Pick<ThroughputRequest, 'configFile'> {
  const configFile = join(cwd, 'mine.json');
  writeFileSync(configFile, JSON.stringify(content));
  return { configFile };
}
