import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../src/core/experiment/case.ts';
import { canonicalJson } from '../../src/core/experiment/case-id.ts';
import { realStack, sharedHome } from '../real-stack.ts';
import { offloadIsFastest, writeToySpeeds } from '../workflows/tune/toy-tuning.ts';
import { createSandbox, until } from './program.ts';

interface Report {
  readonly functional: boolean;
  readonly sizes: readonly {
    readonly trials: readonly {
      readonly runId: string;
      readonly isStored: boolean;
      readonly isChoice: boolean;
      readonly case: Case;
    }[];
    readonly choice: {
      readonly case: Case;
      readonly command: string;
      readonly files: { readonly config: string };
    };
  }[];
}

describe('superoffload tune', () => {
  it('--dry-run: candidates with prediction, what is not tried, the first trial, the budget; for another machine too', async () => {
    const box = createSandbox();
    const { code, stdout } = await box.run(['tune', '--model', '5B', '--system', 'h200', '--dry-run']);
    expect(code).toBe(0);
    // Not with a word on a stack, which it does not need.
    expect(stdout).toMatch(/^5b-1chip-b8-s1024: \d+ candidates/);
    expect(stdout).toMatch(/^size +mode +settings +GPU GiB +host GiB +s\/step/m);
    expect(stdout).toMatch(/^5B +\w+ +batch 8 x 1 .* first$/m);
    expect(stdout).toMatch(/^5B +prism_overlap +ratio /m);
    expect(stdout).toMatch(/^not tried: zero_offload 5B.*GiB of host memory.* are there with the margin/m);
    expect(stdout).toContain('budget: at most 8 trials, 8 minutes; 5% of each memory stays free');
    const blind = await box.run(['tune', '--model', '3B', '--system', 'h100', '--dry-run']);
    expect(blind.stdout).toMatch(
      /^no step time of some ways: h100 does not state rates\.hostGBps, .*systems probe` measures/,
    );
    const json = await box.run(['tune', '--model', 'tiny', '--dry-run', '--json', '--stack', 'none']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      functional: true,
      sizes: [{ name: 'tiny-1chip-b8-s128', first: expect.any(Number) as number }],
    });
  });

  it('goes on where SIGKILL ended it, with the trial that went on without it', async () => {
    const box = createSandbox();
    const toy = await writeToySpeeds(box.home);
    toy.setSpeed(offloadIsFastest);
    toy.setPause(0.03);
    const words = ['tune', '--stack', 'toy', '--model', 'tiny', '--mode', 'zero_offload,zero_infinity'];
    const running = box.start(words);
    await until('the second trial is started', () => toy.launches().length === 2, 20_000);
    running.child.kill('SIGKILL');
    await running.ended;
    toy.setPause(0);
    const { code, stdout, stderr } = await box.run([...words, '--json']);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('going on with 2 trials of a tuning that was stopped');
    const [size] = (JSON.parse(stdout) as Report).sizes;
    expect(size?.trials.map(({ runId }) => runId)).toEqual(toy.launches());
    expect(size?.trials.every(({ isStored }) => !isStored)).toBe(true);
    expect(size?.choice.case.mode).toBe('zero_offload');
  });
});

describe('superoffload tune on the real engine', { timeout: 600_000 }, () => {
  it('writes a JSON that `throughput --config` runs as the same case, and that plain DeepSpeed takes', async () => {
    const box = createSandbox();
    symlinkSync(join(sharedHome, 'stacks'), join(box.home, 'stacks'));
    const shape = ['--sequence-length', '16', '--global-batch', '2', '--steps', '3'];
    const words = ['--model', 'tiny', '--mode', 'zero_2,ddp', '--max-trials', '2', ...shape];
    const tuned = await box.run(['tune', ...words, '--json']);
    expect(tuned.code, tuned.stderr).toBe(0);
    const { functional, sizes } = JSON.parse(tuned.stdout) as Report;
    const { trials, choice } = sizes[0]!;
    expect(functional).toBe(true);
    expect(trials.map((trial) => trial.case.mode).sort()).toEqual(['ddp', 'zero_2']);

    const again = await box.run(choice.command.split(' ').slice(1));
    expect(again.code, again.stderr).toBe(0);
    const record = await box.lastRecord();
    const { runId } = trials.find(({ isChoice }) => isChoice)!;
    expect(record.runId).not.toBe(runId);
    expect(canonicalJson(record.case)).toBe(canonicalJson(choice.case));
    const trial = JSON.parse(readFileSync(join(box.home, 'runs', runId, 'record.json'), 'utf8')) as object;
    expect(trial).toMatchObject({ caseId: record.caseId, deepspeedHash: record.deepspeedHash });

    const plain = `import torch, deepspeed
model = torch.nn.Linear(4, 4)
engine, *_ = deepspeed.initialize(model=model, optimizer=torch.optim.AdamW(model.parameters()), config=${JSON.stringify(choice.files.config)})
print('ZeRO stage', engine.zero_optimization_stage(), 'batch', engine.train_batch_size())`;
    const env = {
      RANK: '0',
      WORLD_SIZE: '1',
      LOCAL_RANK: '0',
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: '29621',
    };
    const said = execFileSync(realStack.python, ['-c', plain], {
      cwd: box.cwd,
      env: { ...realStack.env, ...env },
      encoding: 'utf8',
    });
    expect(said).toMatch(/ZeRO stage [02] batch 2/);
  });
});
