import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSystemFile } from '../../../src/adapters/experiment-data.ts';
import { findOnPath } from '../../../src/adapters/probe/search-path.ts';
import { exitCodeOf } from '../../../src/errors.ts';
import type { Context } from '../../../src/workflows/context.ts';
import type { ProgressEvent } from '../../../src/workflows/events.ts';
import { listSystems, showSystem } from '../../../src/workflows/systems/list-systems.ts';
import { probeSystem } from '../../../src/workflows/systems/probe-system.ts';
import { sharedHome } from '../../real-stack.ts';

let cwd = '';
let events: ProgressEvent[] = [];
const { signal } = new AbortController();
const context = (env: Context['env'] = process.env): Context => ({
  ...{ cwd, home: join(cwd, '.superoffload'), env, signal, force: signal, now: Date.now },
  packageRoot: new URL('../../../', import.meta.url).pathname,
  emit: (event) => void events.push(event),
});
const request = { stack: 'pip', measure: true, dryRun: false, allowDrift: true, memoryGiB: 1 };
const write = (name: string, text: string): void => {
  mkdirSync(join(cwd, 'experiment/systems'), { recursive: true });
  writeFileSync(join(cwd, 'experiment/systems', name), text);
};

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'superoffload systems '));
  events = [];
});
afterEach(() => {
  rmSync(cwd, { recursive: true, force: true });
});

describe('systems list and show', () => {
  it("find a user's file beside the package's, without a rebuild", async () => {
    const { file } = await showSystem(context(), 'deltaai');
    write('ours.json', JSON.stringify({ ...file, title: 'Ours', chipsPerNode: 2 }));
    const systems = await listSystems(context());
    expect(systems.map(({ name, isUsers }) => `${name} ${isUsers ? 'mine' : ''}`)).toContain('ours mine');
    expect(await showSystem(context(), 'ours')).toMatchObject({ system: { chipsPerNode: 2, isUsers: true } });
  });

  it('complete local by this machine', async () => {
    const { system, file } = await showSystem(context({ DS_ACCELERATOR: 'cpu' }), 'local');
    expect(file.cores).toBeNull();
    expect(system).toMatchObject({ accelerator: 'cpu', link: 'none' });
    expect(system.cores).toBeGreaterThan(0);
  });

  it('wrong files of the user: a warning with every fault, by path, beside the others; exit 2 where one is meant', async () => {
    write('a.json', '{"title": "A",}');
    write('b.json', JSON.stringify({ ...(await packaged()).file, gpuGiB: '96 GB' }));
    expect((await listSystems(context())).map(({ name }) => name)).toContain('gh200');
    const [warning] = events.filter(({ type }) => type === 'warning');
    const lines = (warning?.type === 'warning' ? warning.message : '').replaceAll(cwd, '').split('\n');
    expect(lines[0]).toContain('/experiment/systems/a.json:1:15: unexpected "}"');
    expect(lines.slice(1).join()).toContain(
      '/experiment/systems/b.json /gpuGiB: is "96 GB" (expected a number in GiB',
    );
    const error = await showSystem(context(), 'b').catch((caught: unknown) => caught);
    expect(exitCodeOf(error)).toBe(2);
    expect((error as Error).message).toContain('b.json /gpuGiB');
  });

  it('an unknown name says what is meant', async () => {
    const error = await showSystem(context(), 'deltai').catch((caught: unknown) => caught);
    expect((error as Error).message).toBe('<system>: there is no system "deltai" (expected deltaai)');
  });
});

/** The package's `gh200`, to be spoiled. */
async function packaged() {
  return showSystem({ ...context(), cwd: tmpdir() }, 'gh200');
}

describe('systems probe', () => {
  it('without a stack describes the machine, says why nothing was measured, and how to have it', async () => {
    const report = await probeSystem(context(), request);
    expect(report).toMatchObject({ measurement: null, command: null });
    expect(readSystemFile(JSON.stringify(report.system), 'mine').ok).toBe(true);
    expect(events).toMatchObject([{ type: 'warning', hint: 'run: superoffload install' }]);
  });

  it('measures host memory and CPU Adam with the real stack, and prints a file that is then known', async () => {
    mkdirSync(join(cwd, '.superoffload'));
    symlinkSync(join(sharedHome, 'stacks'), join(cwd, '.superoffload/stacks'));
    const cpu = context({ ...process.env, DS_ACCELERATOR: 'cpu' });
    const { system, measurement, command } = await probeSystem(cpu, request);
    expect(command).toContain(`--memory-bytes=${2 ** 30}`);
    expect(measurement?.measured.map(({ field }) => field)).toEqual(['hostGBps', 'adamNsPerParameter']);
    expect(measurement?.measured.every(({ samples }) => samples.length >= 3)).toBe(true);
    // Any machine of this century; a slip in the units is a factor of a thousand.
    expect(system.rates.hostGBps).toBeGreaterThan(1);
    expect(system.rates.hostGBps).toBeLessThan(3000);
    expect(system.rates.adamNsPerParameter).toBeGreaterThan(0.01);
    expect(system.rates.adamNsPerParameter).toBeLessThan(100);
    expect(system.sources['rates.hostGBps']).toMatch(
      /triad over three arrays of \d+ MiB in fp32, \d+ threads, median of \d+/,
    );
    write('mine.json', JSON.stringify(system));
    const shown = await showSystem(cpu, 'mine');
    expect(shown.system.rates).toEqual(system.rates);
  }, 600_000);

  it('a dry run starts nothing', async () => {
    mkdirSync(join(cwd, '.superoffload'));
    symlinkSync(join(sharedHome, 'stacks'), join(cwd, '.superoffload/stacks'));
    const cpu = context({ ...process.env, DS_ACCELERATOR: 'cpu' });
    const { command, measurement } = await probeSystem(cpu, { ...request, dryRun: true });
    expect(measurement).toBeNull();
    expect(command).toEqual(expect.arrayContaining(['--adam', '--no-gpu']));
    expect(events.filter(({ type }) => type === 'task')).toEqual([]);
  });

  it('takes host memory from the NUMA nodes that the system names, or says that it cannot', async () => {
    mkdirSync(join(cwd, '.superoffload'));
    symlinkSync(join(sharedHome, 'stacks'), join(cwd, '.superoffload/stacks'));
    const { file } = await showSystem(context(), 'local');
    write('local.json', JSON.stringify({ ...file, hostNumaNodes: [0] }));
    const dryRun = async (PATH: string | undefined) =>
      probeSystem(context({ ...process.env, DS_ACCELERATOR: 'cpu', PATH }), { ...request, dryRun: true });
    const without = await dryRun(cwd);
    expect(without.command?.[0]).toMatch(/python/);
    expect(events.map((event) => ('hint' in event ? event.hint : ''))).toContain(
      'apt install numactl, or dnf install numactl',
    );
    if (findOnPath('numactl', process.env) === undefined) return;
    const { command } = await dryRun(process.env['PATH']);
    expect(command?.slice(0, 3)).toEqual([
      'numactl',
      expect.stringMatching(/^--physcpubind=\+0-\d+$/),
      '--membind=0',
    ]);
  });
});
