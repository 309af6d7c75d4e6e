import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { doctorText } from '../../src/cli/text/doctor.ts';
import { doctor } from '../../src/workflows/doctor.ts';
import { realStack } from '../real-stack.ts';

const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

function context(env: Record<string, string | undefined>) {
  const controller = new AbortController();
  return {
    ...{ env, cwd: tmpdir(), packageRoot, emit: () => undefined, now: Date.now },
    home: mkdtempSync(join(tmpdir(), 'doctor-')),
    ...{ signal: controller.signal, force: controller.signal },
  };
}

describe('doctor', () => {
  it('goes on with quickstart where no stack is ready, and with a measurement where one is', () => {
    const checks = [{ id: 'stack', level: 'warn', found: 'none installed', fix: null }] as const;
    const bare = { checks, canRun: true, accelerator: 'cpu' } as const;
    expect(doctorText(bare)).toMatch(/Next: superoffload quickstart$/);
    const ready = { ...bare, checks: [{ ...checks[0], level: 'ok' }] } as const;
    expect(doctorText(ready)).toMatch(/Next: superoffload throughput --model tiny$/);
    expect(doctorText({ ...ready, accelerator: 'cuda' })).toMatch(/throughput --chips 1 --model 2B$/);
  });

  it('finds this machine, which runs these tests, able to run', async () => {
    const report = await doctor(context(process.env), { python: realStack.python });
    expect(report.canRun).toBe(true);
    expect(report.facts.pythons[0]?.facts?.path).toBe(realStack.python);
    const text = doctorText(report);
    for (const id of [
      'python',
      'Python.h',
      'g[+][+]',
      'host memory',
      '/dev/shm',
      'memlock',
      'disk',
      'port',
      'stack',
    ]) {
      expect(text).toMatch(new RegExp(`^(ok|warn|missing) +${id}`, 'm'));
    }
  });

  it('says no where there is neither Python nor compiler, each with its fix', async () => {
    const report = await doctor(context({ PATH: '/nowhere', HOME: '/nowhere' }), {});
    expect(report.canRun).toBe(false);
    const missing = report.checks.filter(({ level }) => level === 'missing');
    expect(missing.map(({ id }) => id)).toEqual(expect.arrayContaining(['python', 'g++']));
    expect(missing.every(({ fix }) => fix !== null)).toBe(true);
  });

  it('names a stack whose install did not end, and one of a newer tool', async () => {
    const ctx = context(process.env);
    mkdirSync(join(ctx.home, 'stacks/half/venv'), { recursive: true });
    mkdirSync(join(ctx.home, 'stacks/newer'), { recursive: true });
    writeFileSync(join(ctx.home, 'stacks/newer/lock.json'), '{"schemaVersion": 99}');
    const { facts } = await doctor(ctx, {});
    expect(facts.stackProblems[0]).toContain('half: not ready');
    expect(facts.stackProblems[1]).toContain('schema version 99');
  });
});
