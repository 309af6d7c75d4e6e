import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { capture, startDetached } from '../../src/adapters/exec.ts';
import { startLocally } from '../../src/adapters/schedulers/local.ts';
import { freePort } from '../../src/adapters/free-port.ts';
import { connect, createServer } from 'node:net';

const folder = mkdtempSync(join(tmpdir(), 'exec-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const env = { PATH: process.env['PATH'] };

describe('capture', () => {
  it('keeps what was printed, and how it ended', async () => {
    expect(await capture(['sh', '-c', 'echo out; echo err >&2; exit 3'], { env })).toEqual({
      exitCode: 3,
      signal: null,
      stdout: 'out',
      stderr: 'err',
      startError: null,
      timedOut: false,
    });
    expect(await capture(['sh', '-c', 'kill -9 $$'], { env })).toMatchObject({
      exitCode: null,
      signal: 'SIGKILL',
    });
  });

  it('says why a command never started', async () => {
    const missing = await capture(['/no/such/program'], { env });
    expect(missing).toMatchObject({ exitCode: null, signal: null });
    expect(missing.startError).toContain('ENOENT');
    expect((await capture([folder], { env })).startError).toContain('EACCES');
  });

  it('passes on exactly the environment that was given, and the input', async () => {
    const { stdout } = await capture(['/bin/sh', '-c', 'echo "${HOME-none} $GIVEN"; cat'], {
      env: { GIVEN: 'yes', GONE: undefined },
      input: 'typed',
    });
    expect(stdout).toBe('none yes\ntyped');
  });

  it('ends at a timeout and on an abort', async () => {
    expect(await capture(['sleep', '60'], { env, timeoutMs: 100 })).toMatchObject({ timedOut: true });
    expect(await capture(['sleep', '60'], { env, signal: AbortSignal.timeout(100) })).toMatchObject({
      exitCode: null,
    });
  });

  it('hands over lines as they come', async () => {
    const lines: string[] = [];
    await capture(['sh', '-c', 'echo a; echo b >&2; sleep 0.05; printf c'], {
      env,
      onLine: (line) => lines.push(line),
    });
    expect(lines.sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('startDetached', () => {
  it('leads a process group of its own and tells its end', async () => {
    const { pid, exited } = await startDetached(['sh', '-c', 'exit $(( $(ps -o pgid= -p $$) == $$ ))'], {
      env,
      cwd: folder,
    });
    expect(pid).toBeGreaterThan(1);
    expect(await exited).toMatchObject({ exitCode: 1, signal: null });
  });

  it('throws where nothing can be started', async () => {
    await expect(startDetached(['/no/such/program'], { env, cwd: folder })).rejects.toThrow('ENOENT');
  });
});

describe('startLocally', () => {
  it('writes both streams to the log, appends, and marks every process', async () => {
    const script = join(folder, 'run.sh');
    writeFileSync(script, 'echo "$SUPEROFFLOAD_RUN_ID"; echo err >&2; exit 5');
    for (const id of ['first', 'second']) {
      const child = await startLocally(folder, id, env);
      expect(await child.exited).toMatchObject({ exitCode: 5 });
    }
    expect(readFileSync(join(folder, 'output.log'), 'utf8')).toBe('first\nerr\nsecond\nerr\n');
  });
});

describe('freePort', () => {
  it('is a port that can be listened on, where nobody answers before', async () => {
    const port = await freePort();
    await expect(
      new Promise((resolve, reject) => connect(port, '127.0.0.1').on('connect', resolve).on('error', reject)),
    ).rejects.toThrow('ECONNREFUSED');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    server.close();
  });
});
