import { chmodSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../src/adapters/free-port.ts';
import { probeDisk } from '../../src/adapters/probe/disk.ts';
import { probeMachine } from '../../src/adapters/probe/machine.ts';
import { inspectPython, probePythons, pythonCommands } from '../../src/adapters/probe/python.ts';
import { probeTool } from '../../src/adapters/probe/tools.ts';
import { realStack } from '../real-stack.ts';

const program = fileURLToPath(new URL('../../experiment/stacks/inspect_python.py', import.meta.url));
let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'probe '));
});

function tool(name: string, script: string): string {
  const path = join(bin, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('probeMachine', () => {
  it('sees this machine in under 150 ms where there is no GPU', async () => {
    const began = performance.now();
    const machine = await probeMachine({ PATH: bin });
    expect(performance.now() - began).toBeLessThan(150);
    expect(machine.cpu.cores).toBeGreaterThan(0);
    expect(machine.cpu.isa).toMatch(/^[0-9a-f]{8}$/);
    expect(machine.memory.limitBytes).toBeGreaterThan(2 ** 28);
    expect(machine.memory.limitBytes).toBeLessThanOrEqual(machine.memory.totalBytes);
    expect(machine.gpus).toEqual([]);
  });

  it('reads what nvidia-smi answers, and keeps its reason when it fails', async () => {
    // A stand-in for a tool that this machine does not have; its lines have the order that is asked for.
    tool(
      'nvidia-smi',
      'case $1 in *query-gpu*) echo "0, GPU-1, NVIDIA H200, 143771, 0, 9.0, 580.95.05, 1, 2, 3, 700, 700";; esac',
    );
    const machine = await probeMachine({ PATH: bin });
    expect(machine.gpus).toMatchObject([
      { name: 'NVIDIA H200', memoryMiB: 143_771, driverVersion: '580.95.05' },
    ]);
    tool('nvidia-smi', 'echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18');
    const broken = await probeMachine({ PATH: bin });
    expect(broken.gpuProblem).toContain('version mismatch');
    expect(broken.gpus).toEqual([]);
  });
});

describe('probePythons', () => {
  it('counts a candidate only when it ran: a shim that answers 127 does not', async () => {
    const shim = tool('python3.12', 'echo "pyenv: python3.12: command not found" >&2; exit 127');
    const stub = tool('python3', 'echo "Python was not found; install it from the store"');
    symlinkSync(realStack.python, join(bin, 'python'));
    const commands = pythonCommands({ PATH: bin, HOME: bin });
    expect(commands).toEqual([stub, join(bin, 'python'), shim]);
    const found = await probePythons(commands, { env: { PATH: bin }, program });
    expect(found.map(({ facts }) => facts !== null)).toEqual([false, true, false]);
    expect(found[2]?.problem).toBe('exit status 127: pyenv: python3.12: command not found');
  });

  it('lists packages and the torch build without importing torch', async () => {
    const { facts } = await inspectPython(realStack.python, {
      env: realStack.env,
      program,
      withPackages: true,
    });
    expect(facts?.torch?.version).toMatch(/^\d+\.\d+/);
    expect(facts?.packages).toHaveProperty('deepspeed');
  });

  it('takes several names of one interpreter as one', async () => {
    const options = { env: realStack.env, program };
    const found = await probePythons([realStack.python, realStack.python], options);
    expect(found).toHaveLength(1);
  });
});

describe('tools, disk and port', () => {
  it('counts a tool only when it ran', async () => {
    const broken = tool('git', 'exit 127');
    expect(await probeTool('git', { PATH: bin })).toEqual({ path: broken, version: null });
    expect(await probeTool('ninja', { PATH: bin })).toEqual({ path: null, version: null });
    tool('ninja', 'echo 1.13.2');
    expect(await probeTool('ninja', { PATH: bin })).toMatchObject({ version: '1.13.2' });
  });

  it('measures the disk that a folder would be on, before there is one', async () => {
    expect(probeDisk(join(bin, 'a/b/c'))).toMatchObject({ problem: null });
    writeFileSync(join(bin, 'file'), '');
    expect(probeDisk(join(bin, 'file/state')).problem).toMatch(/not a folder/);
    expect(await freePort()).toBeGreaterThan(1023);
  });
});
