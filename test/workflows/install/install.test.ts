import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadStack, stackPaths } from '../../../src/adapters/stack/store.ts';
import { installStack } from '../../../src/workflows/install/install.ts';
import { realStack } from '../../real-stack.ts';
import { context, newHome, options } from './context.ts';

/*
 * Real installs over the packages of the shared stack: an adopted environment, and an overlay from a folder of
 * wheels by pip. The install of everything from the index is done once for the whole suite, in global-setup.
 */
describe('an adopted environment', { timeout: 600_000 }, () => {
  const home = newHome();

  it('--dry-run lists the steps and changes nothing', async () => {
    const { ctx } = context(join(home, 'dry'));
    const report = await installStack(ctx, { ...options, dryRun: true });
    expect(report).toMatchObject({ state: 'planned', lock: null });
    expect(report.steps.map(({ id }) => id)).toContain('verify');
    expect(existsSync(join(home, 'dry'))).toBe(false);
  });

  it('is verified, locked, and untouched; two installs at once make one stack', async () => {
    const packages = join(dirname(dirname(realStack.python)), 'lib');
    const before = execFileSync('find', [packages, '-newermt', '@0', '-printf', '.'], {
      encoding: 'utf8',
    }).length;
    const [first, second] = [context(home), context(home)];
    const reports = await Promise.all([installStack(first.ctx, options), installStack(second.ctx, options)]);
    expect(reports.map(({ state }) => state).sort()).toEqual(['installed', 'ready']);
    expect([...first.events, ...second.events].filter(({ type }) => type === 'note')).toHaveLength(1);
    const after = execFileSync('find', [packages, '-newermt', '@0', '-printf', '.'], {
      encoding: 'utf8',
    }).length;
    expect(after).toBe(before);
    const lock = await loadStack(home, 'pip');
    expect(lock).toMatchObject({ schemaVersion: 2, origin: 'adopted', python: { path: realStack.python } });
    expect(lock?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(lock?.packages ?? {})).toContain('deepspeed');
  });

  it('takes the ops that were built for it, and a ninja elsewhere on PATH does not rebuild them', async () => {
    const made = await loadStack(home, 'pip');
    // The shared stack's ops are of the same sources, flags and tools: with their times kept, nothing is compiled.
    // cp keeps nanoseconds, which Node's copy rounds: ninja takes a younger object for one without dependencies.
    execFileSync('cp', ['-a', `${realStack.env['TORCH_EXTENSIONS_DIR']!}/.`, made!.ops.directory]);
    // Another ninja comes first on the user's PATH: it would rebuild everything, here it fails.
    const trap = mkdtempSync(join(tmpdir(), 'trap-'));
    writeFileSync(join(trap, 'ninja'), '#!/bin/sh\necho trapped >&2; exit 9\n');
    chmodSync(join(trap, 'ninja'), 0o755);
    const { ctx } = context(home, { ...process.env, PATH: `${trap}:${process.env['PATH'] ?? ''}` });
    const { lock } = await installStack(ctx, { ...options, ops: ['cpu_adam'], reinstall: true });
    expect(lock?.ops.built).toEqual(['cpu_adam']);
    expect(lock?.ops.flags['cpu_adam']).toContain('-march=native');
    const log = readFileSync(stackPaths(home, 'pip').installLog, 'utf8');
    expect(log).toContain('ninja: no work to do');
    expect(log).not.toMatch(/trapped|^\[\d+\/\d+\] /m);
  });

  it('has nothing to do a second time: no step is begun, and its log stays as it was', async () => {
    const { installLog } = stackPaths(home, 'pip');
    const before = readFileSync(installLog, 'utf8');
    expect((await installStack(context(home).ctx, options)).state).toBe('ready');
    expect(readFileSync(installLog, 'utf8')).toBe(before);
  });

  it('is not replaced by other flags without --reinstall', async () => {
    const other = installStack(context(home).ctx, { ...options, python: undefined, torch: '2.12.0' });
    await expect(other).rejects.toMatchObject({
      code: 'install',
      hint: expect.stringContaining('--reinstall') as string,
    });
  });
});

describe('bad input', () => {
  it('is refused with all its faults at once', async () => {
    const bad = { ...options, stack: 'conda', deepspeed: '0.16.0', findLinks: '/nowhere', overlay: true };
    const error: unknown = await installStack(context(newHome()).ctx, bad).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'usage' });
    for (const place of ['--stack', '--deepspeed', '--find-links']) expect(String(error)).toContain(place);
  });

  it.each([
    ['/bin/false', /does not work as a Python \(exit status 1/],
    ['/nowhere/python', /does not work as a Python/],
  ])('--python %s', async (python, message) => {
    await expect(installStack(context(newHome()).ctx, { ...options, python })).rejects.toThrow(message);
  });

  it('a state folder in the place of a file is an error of the environment', async () => {
    const home = join(newHome(), 'file');
    writeFileSync(home, '');
    await expect(installStack(context(home).ctx, options)).rejects.toMatchObject({ code: 'environment' });
  });
});
