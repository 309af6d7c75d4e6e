import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { processesWith } from '../../../src/adapters/processes.ts';
import { loadStack, stackPaths } from '../../../src/adapters/stack/store.ts';
import type { StackLock } from '../../../src/core/stack/lock.ts';
import { SuperOffloadError } from '../../../src/errors.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { requireHosts, type HostsRequest } from '../../../src/workflows/hosts/require-hosts.ts';
import { startSshHosts, type SshHosts } from '../../clusters/ssh.ts';
import { sharedHome } from '../../real-stack.ts';

const home = mkdtempSync(join(tmpdir(), "require hosts' "));
const runsFolder = join(home, 'runs');
const paths = stackPaths(home, 'pip');
let cluster: SshHosts | string = 'not started';
let stack: StackLock;

beforeAll(async () => {
  // A state folder of its own over the shared stack, so that its lock can be another one for one host.
  mkdirSync(paths.directory, { recursive: true });
  copyFileSync(stackPaths(sharedHome, 'pip').lock, paths.lock);
  symlinkSync(stackPaths(sharedHome, 'pip').venv, paths.venv);
  mkdirSync(runsFolder);
  stack = (await loadStack(home, 'pip'))!;
  const quoted = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;
  const other = join(home, 'other-lock.json');
  writeFileSync(other, '{}');
  cluster = await startSshHosts(
    3,
    `mount --bind ${quoted(other)} ${quoted(paths.lock)}; mount -t tmpfs tmpfs ${quoted(runsFolder)}`,
  );
}, 600_000);

afterAll(() => {
  if (typeof cluster !== 'string') cluster.stop();
  rmSync(home, { recursive: true });
});

function contextOf(hosts: SshHosts): Context {
  return {
    env: { ...process.env, SUPEROFFLOAD_SSH: hosts.command },
    ...{ cwd: home, home, now: Date.now, emit: () => undefined },
    packageRoot: join(import.meta.dirname, '..', '..', '..'),
    signal: new AbortController().signal,
    force: new AbortController().signal,
  };
}

function request(names: readonly string[], change: Partial<HostsRequest> = {}): HostsRequest {
  const hosts = names.map((name) => ({ name, slots: 1 }));
  const layout = { nodes: hosts.length, ranksPerNode: 1 };
  const schedule = { scheduler: 'hostfile', layout, hosts, masterAddress: 'unknown' } as const;
  return { schedule, stack, accelerator: 'cpu', runsFolder, ...change };
}

async function messageOf(work: Promise<unknown>): Promise<string[]> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SuperOffloadError);
  expect((error as SuperOffloadError).code).toBe('environment');
  return (error as SuperOffloadError).message.split('\n');
}

describe('requireHosts over real ssh', { timeout: 600_000 }, () => {
  it('finds hosts ready, and by which address they reach the first', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const { schedule, notes } = await requireHosts(contextOf(cluster), request(cluster.names));
    // The first address that ssh itself used, on hosts that are one machine.
    expect(schedule.masterAddress).toBe('127.0.0.11');
    expect(notes).toEqual([]);
    expect(readdirSync(runsFolder)).toEqual([]);
  });

  it('a single host meets at home', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const { schedule } = await requireHosts(contextOf(cluster), request(['host2'], { stack: null }));
    expect(schedule.masterAddress).toBe('127.0.0.1');
  });

  it('names every fault of every host at once', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const { nobody, apart } = cluster;
    const names = ['host1', nobody, ...(apart === null ? [] : [apart])];
    const lines = await messageOf(
      requireHosts(contextOf(cluster), request(names, { tools: ['no-such-tool'], accelerator: 'cuda' })),
    );
    expect(lines.filter((line) => line.startsWith('host nobody'))).toEqual([
      expect.stringMatching(/^host nobody: cannot be reached: ssh: connect to host 127\.0\.0\.250 .*refused/),
    ]);
    const ofHost1 = lines.filter((line) => line.startsWith('host host1')).join('\n');
    expect(ofHost1).toContain('has no no-such-tool');
    expect(ofHost1).toContain('nvidia-smi fails or is not there');
    if (apart === null) return skip('namespaces are not allowed here: no host with other files');
    const ofApart = lines.filter((line) => line.startsWith('host apart')).join('\n');
    expect(ofApart).toContain(`does not see ${runsFolder}`);
    expect(ofApart).toContain(`has another lock at ${paths.lock}`);
  });

  it('a host of another CPU has its own ops built ahead, once for all of a kind', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    // As if the stack had been built elsewhere: what this machine then needs is a copy of what it has.
    const { key, directory } = stack.ops;
    mkdirSync(join(home, 'ops'));
    // To the nanosecond: else ninja compiles all of it again.
    execFileSync('cp', ['-a', directory, join(home, 'ops', key)]);
    const otherKey = key.replace(/-[a-z0-9]+-[0-9a-f]{8}-cxx/, '-scalar-00000000-cxx');
    const environment = { ...stack.environment, TORCH_EXTENSIONS_DIR: join(home, 'ops', otherKey) };
    const elsewhere = { ...stack, ops: { ...stack.ops, key: otherKey }, environment };
    const events: string[] = [];
    const emit: Context['emit'] = (event) => {
      if (event.type === 'task') events.push(`${event.id} ${event.state}`);
    };
    const context: Context = { ...contextOf(cluster), emit };
    await requireHosts(context, request(['host1', 'host2'], { stack: elsewhere }));
    expect(events).toEqual(['ops-host1 start', 'ops-host1 done']);
    expect(readdirSync(join(home, 'ops'))).toEqual([key]);
    expect(readdirSync(join(home, 'ops', key))).toContain('.superoffload-built');
  });

  it('an interrupted build leaves no compiler behind on the host', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const { key } = stack.ops;
    const otherKey = key
      .replace('torch', 'other-torch')
      .replace(/-[a-z0-9]+-[0-9a-f]{8}-cxx/, '-scalar-00000000-cxx');
    const environment = { ...stack.environment, TORCH_EXTENSIONS_DIR: join(home, 'ops', otherKey) };
    const elsewhere = { ...stack, ops: { ...stack.ops, key: otherKey }, environment };
    const builds = (): number[] =>
      processesWith('TORCH_EXTENSIONS_DIR', join(home, 'ops', key.replace('torch', 'other-torch')));
    const interrupt = new AbortController();
    const context: Context = { ...contextOf(cluster), signal: interrupt.signal };
    const asking = requireHosts(context, request(['host1'], { stack: elsewhere }));
    const seen = vi.waitFor(
      () => {
        expect(builds()).not.toEqual([]);
      },
      { timeout: 30_000, interval: 50 },
    );
    void seen.finally(() => {
      interrupt.abort(new Error('interrupted'));
    });
    await expect(asking).rejects.toThrow('interrupted');
    await seen;
    expect(builds()).toEqual([]);
    expect(readdirSync(runsFolder)).toEqual([]);
  });

  it('an ssh command that does not exist is said so', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const context = contextOf({ ...cluster, command: '/no/such/ssh' });
    const [line] = await messageOf(requireHosts(context, request(['host1'])));
    expect(line).toMatch(/^host host1: .*\/no\/such\/ssh.*not found/);
  });
});
