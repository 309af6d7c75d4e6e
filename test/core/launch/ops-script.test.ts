import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { probeMachine } from '../../../src/adapters/probe/machine.ts';
import { opsScript } from '../../../src/core/launch/ops-script.ts';
import { opsKey } from '../../../src/core/stack/ops.ts';

const base = mkdtempSync(join(tmpdir(), "ops script's "));
afterAll(() => {
  rmSync(base, { recursive: true });
});

const { cpu } = await probeMachine(process.env);

function keyOf(isa: string, simd: typeof cpu.simd): string {
  const versions = { torch: '2.15.0', deepspeed: '0.19.8', python: '3.11.2', ninja: '1.13.2' };
  return opsKey({ ...versions, accelerator: 'cpu', cpu: { isa, simd }, compiler: 'g++ 12.2.0' });
}

/** Stands in for the stack's Python: says where it would build. */
const python = join(base, 'python');
writeFileSync(python, '#!/bin/sh\necho "built in $TORCH_EXTENSIONS_DIR"\nexit "${STATUS:-0}"\n', {
  mode: 0o755,
});

function read(key: string, status = '0') {
  writeFileSync(join(base, 'ops.sh'), opsScript(python, 'cpu'));
  const script = '. ./ops.sh\necho "runs with $TORCH_EXTENSIONS_DIR"';
  const env = { PATH: process.env['PATH'], STATUS: status, TORCH_EXTENSIONS_DIR: join(base, 'ops', key) };
  const { stdout, status: exitCode } = spawnSync('/bin/sh', ['-c', script], {
    cwd: base,
    env,
    encoding: 'utf8',
  });
  return {
    exitCode,
    lines: stdout
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('superoffload: building')),
  };
}

const here = join(base, 'ops', keyOf(cpu.isa, cpu.simd));

describe('opsScript', () => {
  it('does nothing on the CPU that the ops were compiled on', () => {
    expect(read(keyOf(cpu.isa, cpu.simd))).toEqual({ exitCode: 0, lines: [`runs with ${here}`] });
    expect(existsSync(here)).toBe(false);
  });

  it('ends the node’s part where they cannot be built, and is not content with a half', () => {
    expect(read(keyOf('00000000', 'neon'), '3')).toMatchObject({ exitCode: 1, lines: [`built in ${here}`] });
  });

  it('builds once for another, in the folder that an install on it would take', () => {
    const elsewhere = keyOf('00000000', 'neon');
    expect(read(elsewhere).lines).toEqual([`built in ${here}`, `runs with ${here}`]);
    expect(read(elsewhere).lines).toEqual([`runs with ${here}`]);
  });
});
