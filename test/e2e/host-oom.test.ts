import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realStack } from '../real-stack.ts';
import { createSandbox, expectNoStack, program, startProgram } from './program.ts';

const box = createSandbox();

describe('memory of the host that runs out', () => {
  const cgroup = '/sys/fs/cgroup/memory/superoffload-test';

  it('is proven by the kernel counter of the run', { timeout: 600_000 }, async (context) => {
    try {
      mkdirSync(cgroup, { recursive: true });
      writeFileSync(join(cgroup, 'memory.limit_in_bytes'), String(400 * 2 ** 20));
    } catch {
      context.skip('a memory cgroup (v1) with a limit cannot be made here');
    }
    try {
      // The tool is in the group too: on a busy machine the kernel once killed it in place of the run.
      const eat = "import sys; open('/proc/self/oom_score_adj', 'w').write('1000'); print(' iteration        1/       9 | elapsed time per iteration (ms): 5.0 | lm loss: 1.0 |', flush=True); x = [bytearray(2**24) for _ in range(200)]"; // prettier-ignore
      const { code, stderr, stdout } = await startProgram(
        'sh',
        ['-c', `echo $$ > ${cgroup}/cgroup.procs && exec "$@"`, 'sh', process.execPath, program, 'throughput', '--workload', 'command', '--', realStack.python, '-c', eat], // prettier-ignore
        { cwd: box.cwd, env: { SUPEROFFLOAD_HOME: box.home } },
      ).ended;
      expectNoStack({ stdout, stderr });
      const record = await box.lastRecord();
      expect({ code, class: record.outcome.class }, stderr).toEqual({ code: 4, class: 'host_oom' });
      expect(record.exit).toMatchObject({ signal: 'SIGKILL', oomKills: 1 });
      expect(record.outcome.reason).toContain("kernel's count of OOM kills");
    } finally {
      rmdirSync(cgroup);
    }
  });
});
