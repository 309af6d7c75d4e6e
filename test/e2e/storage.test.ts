import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, type TestContext } from 'vitest';
import { createSandbox } from './program.ts';
import { finish, measure, steps } from './shell-workloads.ts';

const mounts: string[] = [];
afterAll(() => {
  for (const folder of mounts) {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  }
});

/** A small file system of its own; skips the test where nobody may mount one. */
function mountTmpfs(context: TestContext, size: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'superoffload-tmpfs-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'superoffload-test', folder]);
  if (mounted.status !== 0) {
    rmSync(folder, { recursive: true });
    context.skip('mounting a tmpfs needs root');
  }
  mounts.push(folder);
  return folder;
}

const good = `${steps({ to: 3 })}; ${finish}`;

/** Every JSON file below is whole, and no temporary file is left. */
function expectWholeFiles(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    expect(name).not.toMatch(/(^|\/)\.[^/]*$/);
    if (name.endsWith('.json'))
      expect(() => JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown, name).not.toThrow();
  }
}

describe('a full disk', () => {
  it('before the start: exit 3, one message, and the next command works', async (context) => {
    const home = mountTmpfs(context, '64k');
    const box = createSandbox(home);
    try {
      writeFileSync(join(home, 'filler'), Buffer.alloc(64 * 1024));
    } catch {
      // Full is what it should be.
    }
    const end = await box.run(measure(good));
    expect(end.code).toBe(3);
    expect(end.stderr).toMatch(/cannot use .*: the disk is full\n +free space, or set SUPEROFFLOAD_HOME/);
    rmSync(join(home, 'filler'));
    expect((await box.run(['runs', 'list'])).code).toBe(0);
    expectWholeFiles(home);
    expect((await box.run(measure(good))).code).toBe(0);
  });

  it('during the run, filled by its own log: exit 3 or a record, and nothing that the next command cannot read', async (context) => {
    const home = mountTmpfs(context, '128k');
    const box = createSandbox(home);
    const end = await box.run(measure(`${steps({ to: 2 })}; yes 0123456789 | head -c 400000; ${finish}`));
    expect([3, 4]).toContain(end.code);
    expect(end.stderr).toMatch(/disk is full|No space left|crash|killed_unknown/);
    const list = await box.run(['runs', 'list', '--json']);
    expect(list.code, list.stderr).toBe(0);
    const [listed] = JSON.parse(list.stdout) as { runId: string; state: string }[];
    expect(listed?.runId).toMatch(/^\d{8}T/);
    expectWholeFiles(home);
    const show = await box.run(['runs', 'show', 'last']);
    expect([0, 3]).toContain(show.code);
    expect((await box.run(['runs', 'rm', 'last'])).code).toBe(0);
    expect((await box.run(measure(good))).code).toBe(0);
  });
});

describe('a read-only state folder', () => {
  it('is said plainly with exit 3; what it holds can still be read', async (context) => {
    const home = mountTmpfs(context, '1m');
    const box = createSandbox(home);
    expect((await box.run(measure(good))).code).toBe(0);
    execFileSync('mount', ['-o', 'remount,ro', home]);
    const end = await box.run(measure(good));
    expect(end.code).toBe(3);
    expect(end.stderr).toMatch(
      /cannot use .*: the file system is read-only\n +set SUPEROFFLOAD_HOME to a folder/,
    );
    expect(end.stderr).not.toContain('runs are finished');
    expect((await box.run(['runs', 'list'])).stdout).toContain('command: sh -c');
    expect((await box.run(['runs', 'show', 'last'])).code).toBe(0);
    expect((await box.run(['runs', 'rm', 'last'])).code).toBe(3);
  });

  it('is the same for a path through a file', async () => {
    const box = createSandbox();
    writeFileSync(join(box.cwd, 'file'), '');
    const end = await box.run(measure(good), { env: { SUPEROFFLOAD_HOME: join(box.cwd, 'file', 'state') } });
    expect(end.code).toBe(3);
    expect(end.stderr).toContain('a part of the path is not a folder');
  });
});

describe('a state folder that cannot be', () => {
  it.each([
    ['below /proc', '/proc/superoffload/state', /it is not there and cannot be made/],
    ['with a name that is too long', `/tmp/${'x'.repeat(300)}`, /the path or a part of it is too long/],
  ])('%s is said plainly, at once, with exit 3', async (_, home, message) => {
    const box = createSandbox();
    const end = await box.run(measure(good), { env: { SUPEROFFLOAD_HOME: home } });
    expect({ code: end.code, stderr: end.stderr }).toMatchObject({ code: 3 });
    expect(end.stderr).toMatch(message);
    expect(end.stderr).toContain('set SUPEROFFLOAD_HOME');
  });

  it('names a folder that is given for a file', async () => {
    const box = createSandbox();
    const end = await box.run(['throughput', '--config', box.cwd, '--dry-run']);
    expect([2, 3]).toContain(end.code);
    expect(end.stderr).toMatch(/folder/);
  });
});

describe('a state folder of any name', () => {
  it.each(['with space', "it's", 'say "x"', 'new\nline', '日本 🙂', '$HOME `id` ; #', '-rf'])(
    '%j works for every verb',
    async (name) => {
      const box = createSandbox(name);
      const ran = await box.run(measure(good));
      expect(ran.code, ran.stderr).toBe(0);
      expect((await box.run(['runs', 'list'])).stdout).toContain(' ok ');
      expect((await box.run(['runs', 'logs', 'last'])).stdout).toContain('iteration        3/       3');
      const replayed = await box.run(['runs', 'replay', 'last']);
      expect(replayed.code, replayed.stderr).toBe(0);
    },
  );

  it('may be relative to the folder the user stands in', async () => {
    const box = createSandbox();
    const ran = await box.run(measure(good), { env: { SUPEROFFLOAD_HOME: 'my state' } });
    expect(ran.code, ran.stderr).toBe(0);
    expect(readdirSync(join(box.cwd, 'my state', 'runs'))).toHaveLength(1);
  });
});

describe('a run folder that cannot be read', () => {
  const box = createSandbox();
  type Damage = 'a newer schema' | 'half a record' | 'no record';

  async function ruin(kind: Damage): Promise<string> {
    expect((await box.run(measure(good))).code).toBe(0);
    const { runId } = await box.lastRecord();
    const record = join(box.home, 'runs', runId, 'record.json');
    const text = readFileSync(record, 'utf8');
    if (kind === 'a newer schema')
      writeFileSync(record, text.replace('"schemaVersion": 1', '"schemaVersion": 2'));
    if (kind === 'half a record') writeFileSync(record, text.slice(0, 200));
    if (kind === 'no record') writeFileSync(record, '{}');
    return runId;
  }

  it.each([
    ['a newer schema', /record\.json: schema version 2 is newer than 1/],
    ['half a record', /record\.json:\d+:\d+: not valid JSON/],
    ['no record', /record\.json: not a file that superoffload wrote: it has no schemaVersion/],
  ] as const)(
    '%s: one message and exit 2 for the run, a row for the list, and it can be removed',
    async (kind, message) => {
      const runId = await ruin(kind);
      for (const verb of ['show', 'replay']) {
        const end = await box.run(['runs', verb, runId]);
        expect({ verb, code: end.code }).toEqual({ verb, code: 2 });
        expect(end.stderr).toMatch(message);
      }
      const list = await box.run(['runs', 'list', '--json']);
      expect(list.code, list.stderr).toBe(0);
      const row = (JSON.parse(list.stdout) as { runId: string; state: string; title: string }[]).find(
        (run) => run.runId === runId,
      );
      expect(row?.state).toBe('unreadable');
      expect(row?.title).toMatch(message);
      expect((await box.run(['runs', 'rm', runId])).code).toBe(0);
    },
  );

  it('does not stop new runs of the same case', async () => {
    await ruin('a newer schema');
    expect((await box.run(measure(good))).code).toBe(0);
  });

  it('is no matter of folders that are no runs', async () => {
    mkdirSync(join(box.home, 'runs', 'my notes'));
    writeFileSync(join(box.home, 'runs', 'notes.txt'), 'mine');
    cpSync(join(box.home, 'runs', 'notes.txt'), join(box.home, 'runs', '.hidden'));
    expect((await box.run(['runs', 'list'])).stdout).not.toContain('notes');
  });
});
