import { describe, expect, it } from 'vitest';
import type { ExitEvidence } from '../../../src/core/logs/events.ts';
import { outcomeClasses } from '../../../src/core/logs/events.ts';
import { classify, noExitEvidence } from '../../../src/core/logs/outcome.ts';
import { outcomeTable } from '../../../src/core/logs/outcome-table.ts';
import { fixtureText, scanText } from './read-fixture.ts';

/** What a log alone cannot say, for the fixtures whose class needs it. */
const outside: Readonly<Record<string, Partial<ExitEvidence>>> = {
  'deepspeed-0.19.8-shm_full-sigbus': { exitCode: 249, shmFreeBytes: 0 },
};

const known = (more: Partial<ExitEvidence>): ExitEvidence => ({ ...noExitEvidence, ...more });
const ok = 'megatron-f2c70ad-zero_offload-ok';
const sigkill = 'deepspeed-0.19.8-killed_unknown-sigkill';

describe('the class table', () => {
  it('has every class once', () => {
    expect(outcomeTable.map((row) => row.class).sort()).toEqual([...outcomeClasses].sort());
  });
  it('has a log for each class or says why not', () => {
    for (const row of outcomeTable)
      expect(row.fixtures.length > 0, row.class).toBe(row.unproven === undefined);
  });
  const cases = outcomeTable.flatMap((row) => row.fixtures.map((fixture) => [fixture, row.class] as const));
  it.each(cases)('%s is %s', (fixture, expected) => {
    const outcome = classify(scanText(fixtureText(fixture)), known(outside[fixture] ?? {}));
    expect(outcome.class, outcome.reason).toBe(expected);
  });
});

describe('ok', () => {
  const state = scanText(fixtureText(ok));
  it('needs the planned iterations', () => {
    expect(classify(state, known({ exitCode: 0, plannedIterations: 10 })).class).toBe('ok');
    expect(classify(state, known({ exitCode: 0, plannedIterations: 100 })).class).not.toBe('ok');
    expect(
      classify(state, known({ exitCode: 0, plannedIterations: 100, stoppedBy: 'converged' })).class,
    ).toBe('ok');
  });
  it('is never taken from iteration lines alone, nor from exit 0 alone', () => {
    const text = fixtureText(ok);
    const cut = scanText(text.slice(0, text.indexOf('[exiting program')));
    expect(cut.iterationCount).toBe(10);
    expect(classify(cut, noExitEvidence).class).toBe('incomplete');
    expect(classify(cut, known({ exitCode: 0, plannedIterations: 10 })).class).toBe('killed_unknown');
  });
  it('is no run of which every step was skipped', () => {
    const skipped = fixtureText(ok).replaceAll(/skipped iterations: +0/g, 'skipped iterations:   1');
    const exit = known({ exitCode: 0, plannedIterations: 10 });
    expect(classify(scanText(skipped), exit).class).toBe('nan_or_inf');
    const first = fixtureText(ok).replace(/skipped iterations: +0/, 'skipped iterations:   1');
    expect(classify(scanText(first), exit).class).toBe('ok');
  });
  it('of a foreign command is exit 0 at the last iteration that its own log planned', () => {
    const text = fixtureText('builtin-0.19.8-h200-prism-2b-ok');
    const silent = text.slice(0, text.indexOf(' peak memory |'));
    const outcome = classify(scanText(silent), known({ exitCode: 0 }));
    expect(outcome).toMatchObject({ class: 'ok' });
    expect(outcome.reason).toBe('it exited with 0 after iteration 20, the last one that its own log planned');
    expect(classify(scanText(silent), noExitEvidence).class).toBe('incomplete');
    expect(classify(scanText(silent), known({ exitCode: 1 })).class).toBe('crash');
    const nan = scanText(silent.replace('lm loss: 9.530642E+00', 'lm loss: nan'));
    expect(classify(nan, known({ exitCode: 0 })).class).toBe('nan_or_inf');
    const failed = scanText(
      `${silent}Traceback (most recent call last):\n  File "a.py", line 1\nKeyError: 5\n`,
    );
    expect(classify(failed, known({ exitCode: 0 })).class).toBe('crash');
  });
  it('of a foreign command is not exit 0 before that, nor without any plan', () => {
    const text = fixtureText('builtin-0.19.8-h200-prism-2b-ok');
    const early = text.slice(0, text.indexOf(' iteration       12/'));
    for (const log of [early, 'hello\n']) {
      const outcome = classify(scanText(log), known({ exitCode: 0 }));
      expect(outcome.class).toBe('incomplete');
      expect(outcome.reason).toContain('exit status 0, but it never said that it finished');
      expect(classify(scanText(log), known({ exitCode: 0, plannedIterations: 20 })).class).toBe(
        'killed_unknown',
      );
    }
  });
  it('needs exit 0', () => {
    expect(classify(state, known({ exitCode: 1, plannedIterations: 10 })).class).toBe('crash');
    expect(classify(state, known({ exitCode: null, signal: 'SIGSEGV', plannedIterations: 10 })).class).toBe(
      'crash',
    );
  });
  it('needs a finite loss', () => {
    const nan = scanText(fixtureText(ok).replace('lm loss: 6.258537E+00', 'lm loss: nan'));
    expect(classify(nan, known({ exitCode: 0, plannedIterations: 10 })).class).toBe('nan_or_inf');
  });
  it('needs the world that was planned', () => {
    expect(classify(state, known({ exitCode: 0, plannedIterations: 10, plannedWorldSize: 4 }))).toMatchObject(
      {
        class: 'launch_error',
        reason: 'it ran on 1 rank(s), 4 were planned',
      },
    );
  });
  it.each([
    ['cuda', 'launch_error'],
    ['cpu', 'ok'],
    [null, 'ok'],
  ] as const)('needs the accelerator that was planned: %s gives %s', (plannedAccelerator, outcome) => {
    const onCpu = { ...state, facts: { ...state.facts, accelerator: 'cpu' } };
    const end = classify(onCpu, known({ exitCode: 0, plannedIterations: 10, plannedAccelerator }));
    expect(end.class).toBe(outcome);
    if (outcome !== 'ok') expect(end.reason).toBe('it ran on cpu, cuda was planned');
  });
  it('is not undone by a failure that the program got over', () => {
    const survived = scanText(`ModuleNotFoundError: No module named 'flash_attn'\n${fixtureText(ok)}`);
    expect(classify(survived, known({ exitCode: 0, plannedIterations: 10 })).class).toBe('ok');
  });
});

describe('a kill', () => {
  const state = scanText(fixtureText(sigkill));
  it('is host_oom only with memory evidence', () => {
    expect(classify(state, known({ exitCode: 247 })).class).toBe('killed_unknown');
    expect(classify(state, known({ exitCode: 247, oomKills: 0 })).class).toBe('killed_unknown');
    expect(classify(state, known({ exitCode: 247, oomKills: 1 })).class).toBe('host_oom');
    expect(classify(state, known({ exitCode: 247, peakHostGiB: 124.7, hostLimitGiB: 125 })).class).toBe(
      'host_oom',
    );
    expect(classify(state, known({ exitCode: 247, peakHostGiB: 60, hostLimitGiB: 125 })).class).toBe(
      'killed_unknown',
    );
  });
  it('by the kernel is the only one that a risen counter explains: it may have counted another program', () => {
    const gpu = scanText('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n');
    expect(classify(gpu, known({ exitCode: 1, oomKills: 1 })).class).toBe('gpu_oom');
    expect(classify(scanText('hello\n'), known({ signal: 'SIGKILL', oomKills: 1 })).class).toBe('host_oom');
  });
  it('or a stop is not blamed on a module that the program can do without', () => {
    const warned = scanText("Warning: No module named 'flash_attn', using sdpa\n");
    expect(classify(warned, known({ stoppedBy: 'timeout', signal: 'SIGTERM' })).class).toBe('time_limit');
    expect(classify(warned, known({ stoppedBy: 'hang', signal: 'SIGKILL' })).class).toBe('hang');
    expect(classify(warned, known({ signal: 'SIGKILL' })).class).toBe('killed_unknown');
    expect(classify(warned, known({ exitCode: 1 })).class).toBe('install_error');
  });
  it.each([
    [247, 'SIGKILL', 'killed_unknown'],
    [137, 'SIGKILL', 'killed_unknown'],
    [250, 'SIGABRT', 'crash'],
    [139, 'SIGSEGV', 'crash'],
  ])('exit status %i is %s', (exitCode, _signal, expected) => {
    expect(classify(scanText('hello\n'), known({ exitCode })).class).toBe(expected);
  });
  it('of this tool is its own word', () => {
    expect(classify(state, known({ stoppedBy: 'interrupted', signal: 'SIGTERM' })).class).toBe('interrupted');
    expect(classify(scanText('x\n'), known({ stoppedBy: 'hang', signal: 'SIGTERM' })).class).toBe('hang');
    expect(classify(scanText('x\n'), known({ stoppedBy: 'timeout', signal: 'SIGTERM' })).class).toBe(
      'time_limit',
    );
  });
});

describe('several ranks', () => {
  const watchdog = fixtureText('nccl-2.20-nccl_timeout-watchdog');
  it("a collective's timeout yields to the earlier failure of another rank", () => {
    const oom = '[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n';
    expect(classify(scanText(oom + watchdog), noExitEvidence)).toMatchObject({ class: 'gpu_oom', rank: 3 });
    const exception =
      '[rank2]: Traceback (most recent call last):\n[rank2]:   File "a.py", line 1\n[rank2]: KeyError: 5\n';
    expect(classify(scanText(exception + watchdog), noExitEvidence)).toMatchObject({
      class: 'crash',
      rank: 2,
    });
  });
  it('a rank that lost its peer is not the one that failed', () => {
    const outcome = classify(scanText(fixtureText('deepspeed-0.19.8-crash-exception')), noExitEvidence);
    expect(outcome).toMatchObject({ rank: 1, evidence: 'ValueError: token id 50432 is out of range' });
  });
});

describe('memory', () => {
  it('that cannot be pinned is the host’s', () => {
    const text =
      'Traceback (most recent call last):\n  File "stage_1_and_2.py", line 485, in __init__\n' +
      '    self.buffer = get_accelerator().pin_memory(torch.zeros(n))\n  File "cuda_accelerator.py", line 296, in pin_memory\n' +
      '    return tensor.pin_memory()\n           ^^^^^^^^^^^^^^^^^^^\nRuntimeError: CUDA error: out of memory\n';
    expect(classify(scanText(text), noExitEvidence).class).toBe('host_oom');
    expect(classify(scanText(text.replaceAll('pin_memory', 'cuda')), noExitEvidence).class).toBe('gpu_oom');
  });
  it('is not what CUBLAS_STATUS_ALLOC_FAILED proves alone', () => {
    const cublas =
      'RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`\n';
    expect(classify(scanText(cublas), noExitEvidence).class).toBe('crash');
    const memory = 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n';
    expect(classify(scanText(memory + cublas), noExitEvidence).class).toBe('gpu_oom');
  });
  it('worker_dead names the worker’s own first error', () => {
    const outcome = classify(
      scanText(fixtureText('deepspeed-0.19.8-worker_dead-no_main_guard')),
      noExitEvidence,
    );
    expect(outcome.evidence).toContain('EADDRINUSE');
  });
  it('an error that ends a run later is a crash, not a config error', () => {
    const text = fixtureText(ok).replace(
      /\[exiting program[^]*/,
      'AssertionError: Check batch related parameters. x\n',
    );
    expect(classify(scanText(text), noExitEvidence).class).toBe('crash');
  });
});
