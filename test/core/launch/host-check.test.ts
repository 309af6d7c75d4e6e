import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { probeMachine } from '../../../src/adapters/probe/machine.ts';
import {
  hostCheckProgram,
  parseHostAnswer,
  type HostAnswer,
  type HostQuestion,
} from '../../../src/core/launch/host-check.ts';

const folder = mkdtempSync(join(tmpdir(), "host check's "));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function ask(change: Partial<HostQuestion>, env: Record<string, string> = {}): HostAnswer {
  const question = { tokenFolder: folder, files: [], stack: null, gpus: false, tools: [], ...change };
  const options = {
    input: hostCheckProgram(question, '3'),
    encoding: 'utf8',
    env: { ...process.env, ...env },
  } as const;
  const { stdout, stderr } = spawnSync('/bin/sh', options);
  expect(stderr).toBe('');
  const answer = parseHostAnswer(`Welcome to the cluster\nsuperoffload is fun\n${stdout}`);
  return answer!;
}

describe('hostCheckProgram', () => {
  it('digests the CPU as the probe of this machine does', async () => {
    const { cpu } = await probeMachine(process.env);
    const answer = ask({});
    expect(answer.isa).toBe(cpu.isa);
    expect(Math.abs(answer.clock! - Date.now() / 1000)).toBeLessThan(5);
    expect(answer.boot).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('finds its file once, and takes it away', () => {
    const token = join(folder, '3');
    writeFileSync(token, '');
    expect(ask({}).token).toBe('removed');
    expect(existsSync(token)).toBe(false);
    expect(ask({}).token).toBe('absent');
  });

  it('names files and tools that are not there', () => {
    const gone = join(folder, 'gone $HOME');
    const answer = ask({ files: [folder, gone], tools: ['sh', 'no such tool'] });
    expect(answer).toMatchObject({ absentFiles: [gone], absentTools: ['no such tool'] });
  });

  it('starts the stack’s Python and digests its lock', () => {
    const lock = join(folder, 'lock.json');
    writeFileSync(lock, 'abc');
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(ask({ stack: { python: 'python3', lock } })).toMatchObject({
      python: expect.stringMatching(/^3\.\d+\.\d+/) as string,
      lockSha256: abc,
    });
    const absent = ask({ stack: { python: join(folder, 'python'), lock: join(folder, 'no lock') } });
    expect(absent).toMatchObject({ python: null, lockSha256: null });
  });

  it('brings nvidia-smi’s rows, and tells none from no answer', () => {
    const bin = mkdtempSync(join(folder, 'bin'));
    const answerWith = (script: string): HostAnswer => {
      writeFileSync(join(bin, 'nvidia-smi'), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, 'nvidia-smi'), 0o755);
      return ask({ gpus: true }, { PATH: `${bin}:${process.env['PATH'] ?? ''}` });
    };
    const both = answerWith(
      'case $1 in *gpu=*) echo "0, GPU-1, H200"; echo "1, GPU-2, H200";; *) echo "GPU-2, 42";; esac',
    );
    expect(both).toMatchObject({ gpus: '0, GPU-1, H200\n1, GPU-2, H200', gpuProcesses: 'GPU-2, 42' });
    expect(answerWith('exit 0')).toMatchObject({ gpus: '', gpuProcesses: '' });
    expect(answerWith('echo "NVIDIA-SMI has failed"; exit 9')).toMatchObject({
      gpus: null,
      gpuProcesses: null,
    });
  });

  it('takes the address that ssh reached first', () => {
    expect(ask({}, { SSH_CONNECTION: '10.0.0.9 50000 10.0.0.1 22' }).addresses[0]).toBe('10.0.0.1');
  });
});

describe('parseHostAnswer', () => {
  it('believes no answer that is not complete', () => {
    expect(parseHostAnswer('superoffload:host=a\nsuperoffload:arch=x86_64\n')).toBeNull();
    expect(parseHostAnswer('')).toBeNull();
  });
});
