import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseNodeReport } from '../../../src/core/launch/node-report.ts';
import { nodeScript } from '../../../src/core/launch/node-script.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'node script ')));
afterAll(() => {
  rmSync(base, { recursive: true });
});

let count = 0;

/** A run folder with a node.sh, and a run.sh of these lines. */
function runFolder(lines: readonly string[], setup: readonly string[] = []): string {
  const folder = join(base, `it's $run ${(count += 1)}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'node.sh'), nodeScript('a "run"', setup));
  writeFileSync(join(folder, 'run.sh'), ['#!/bin/sh', ...lines, ''].join('\n'));
  return folder;
}

const given = {
  PATH: process.env['PATH'],
  SUPEROFFLOAD_RUN_ID: 'id-1',
  SUPEROFFLOAD_NODE_RANK: '1',
  MASTER_ADDR: 'node1',
  MASTER_PORT: '4711',
};

function start(folder: string, env: Record<string, string | undefined> = given) {
  return spawnSync('/bin/sh', [join(folder, 'node.sh')], { encoding: 'utf8', env });
}

/** In a process group of its own: what is sent to all of that reaches nobody else. */
function startAlone(folder: string, env: Record<string, string | undefined>) {
  return spawnSync('/bin/sh', ['-c', 'exec setsid --wait /bin/sh "$1"', 'sh', join(folder, 'node.sh')], {
    encoding: 'utf8',
    env,
  });
}

/** The environment in which a tool, before it does its work, ends the group of whoever calls it. */
function withTermIn(folder: string, tool: string, unless = ''): Record<string, string | undefined> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const real = spawnSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim();
  const code = `#!/bin/sh\n${unless}\nkill -TERM 0; exec ${real} "$@"\n`;
  writeFileSync(join(bin, tool), code, { mode: 0o755 });
  return { ...given, PATH: `${bin}:${given.PATH ?? ''}` };
}

const report = (folder: string, node = 1) =>
  parseNodeReport(readFileSync(join(folder, `nodes/${node}.ndjson`), 'utf8'));

describe('nodeScript', () => {
  it('hands on what it was given, and notes both ends with the kernel’s counters', () => {
    const folder = runFolder([
      'echo "$SUPEROFFLOAD_RUN_ID $SUPEROFFLOAD_NODE_RANK $MASTER_ADDR $MASTER_PORT"',
      'exit 3',
    ]);
    expect(start(folder)).toMatchObject({ status: 3, stdout: 'id-1 1 node1 4711\n', stderr: '' });
    const counted = /^oom_kill /m.test(readFileSync('/proc/vmstat', 'utf8'));
    expect(report(folder)).toEqual({
      host: hostname(),
      startedUtc: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
      endedUtc: expect.stringMatching(/Z$/) as string,
      exitCode: 3,
      oomKills: counted ? 0 : (expect.anything() as number),
    });
  });

  it('takes the node’s rank from Slurm where nobody else says it', () => {
    const folder = runFolder(['echo "$SUPEROFFLOAD_NODE_RANK"']);
    const env = { ...given, SUPEROFFLOAD_NODE_RANK: undefined };
    expect(start(folder, { ...env, SLURM_NODEID: '2', SLURM_LOCALID: '3' })).toMatchObject({
      status: 0,
      stdout: '2\n',
    });
    expect(readFileSync(join(folder, 'nodes/2.ndjson'), 'utf8')).toContain('"task":3,');
  });

  it.each(['getent', 'uname'])('begins nothing that was ended before it began: TERM within %s', (tool) => {
    const folder = runFolder(['echo ran']);
    expect(startAlone(folder, withTermIn(folder, tool))).toMatchObject({ stdout: '', status: 143 });
    expect(report(folder)).toMatchObject({ exitCode: 143 });
  });

  it('says how it ended though a signal comes while it does', () => {
    const folder = runFolder(['exit 3']);
    // The first call is for the note of the start.
    const env = withTermIn(folder, 'date', '[ -e "$0.called" ] || { : >"$0.called"; exec /bin/date "$@"; }');
    expect(startAlone(folder, env).status).toBe(3);
    const [, end = ''] = readFileSync(join(folder, 'nodes/1.ndjson'), 'utf8').trim().split('\n');
    expect(JSON.parse(end)).toMatchObject({ exitCode: 3, utc: expect.stringMatching(/Z$/) as string });
  });

  it('refuses to start without a name for the run', () => {
    const folder = runFolder(['echo ran']);
    const { status, stdout } = start(folder, { ...given, SUPEROFFLOAD_RUN_ID: undefined });
    expect(status).not.toBe(0);
    expect(stdout).toBe('');
    expect(existsSync(join(folder, 'nodes'))).toBe(false);
  });

  it('runs the site’s lines in the same shell, and goes no further than the one that fails', () => {
    const good = runFolder(['echo "$FROM_SITE"'], ['export FROM_SITE="a  b"', 'cd /']);
    expect(start(good)).toMatchObject({ status: 0, stdout: 'a  b\n', stderr: '' });
    const bad = runFolder(['echo ran'], ["module_x load 'a b'", 'echo never']);
    const { status, stdout, stderr } = start(bad);
    expect({ status, stdout }).toEqual({ status: 127, stdout: '' });
    expect(stderr).toContain(
      `superoffload: set-up line failed with status 127 on ${hostname()}: module_x load 'a b'`,
    );
    expect(report(bad)).toMatchObject({ exitCode: 127 });
  });

  it.each([
    ['a node whose name leads to itself', '10.0.0.2', '127.0.1.1', 'ib0'],
    ['the first node, whose address is its own', '10.0.0.1', '127.0.1.1', 'eth3'],
    ['a node whose name leads to others', '10.0.0.2', '10.0.0.7', 'unset'],
    ['hosts of one machine', '127.0.0.11', '127.0.0.1', 'unset'],
    ['a node whose name leads nowhere', '10.0.0.2', '', 'ib0'],
  ])('tells gloo its interface: %s', (_, master, own, interfaceName) => {
    const folder = runFolder(['echo "${GLOO_SOCKET_IFNAME-unset}"']);
    const tool = (name: string, script: string): void => {
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    };
    tool('getent', `case $2 in 1*) echo "$2 STREAM x";; *) [ -z "${own}" ] || echo "${own} STREAM x";; esac`);
    const route = 'echo "$5 via 10.0.0.254 dev ib0 src 10.0.0.2 uid 0 \\\\    cache"';
    tool(
      'ip',
      `case "$3 $6" in "addr 10.0.0.1") echo "2: eth3    inet 10.0.0.1/24 scope global eth3";; route*) ${route};; esac`,
    );
    const env = { ...given, PATH: `${folder}:${given.PATH ?? ''}`, MASTER_ADDR: master };
    expect(start(folder, env)).toMatchObject({ stdout: `${interfaceName}\n`, stderr: '' });
    expect(start(folder, { ...env, GLOO_SOCKET_IFNAME: 'mine' }).stdout).toBe('mine\n');
  });

  it('notes its end although the whole group was told to end', async () => {
    const folder = runFolder(['echo up', 'exec sleep 60']);
    const child = spawn('/bin/sh', [join(folder, 'node.sh')], { env: given, detached: true });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    process.kill(-child.pid!, 'SIGTERM');
    const status = await new Promise((resolve) => child.once('exit', resolve));
    expect(status).toBe(143);
    expect(report(folder)).toMatchObject({ exitCode: 143 });
  });
});
