import { describe, expect, it } from 'vitest';
import type { Emit } from '../../../src/workflows/events.ts';
import { figureCommand } from '../../../src/workflows/figure/run-command.ts';
import { runMissing, type RunMissing } from '../../../src/workflows/figure/run-missing.ts';
import { context, installed, nvidiaSmi } from '../throughput/plan-context.ts';

const run = (change: Partial<RunMissing> = {}): RunMissing => ({
  ...{ system: 'local', stack: 'pip', flags: {}, repeat: 1 },
  ...change,
});

describe('figure --run --chips', () => {
  it('is held to the machine before anything is planned, in a dry run too', async () => {
    await expect(runMissing(context(), 11, run({ chips: 512 }), true)).rejects.toThrow(
      /--chips 512: that many CPU ranks do not run/,
    );
    nvidiaSmi();
    await expect(runMissing(context(), 11, run({ chips: 16 }), true)).rejects.toMatchObject({
      code: 'environment',
    });
  });

  it('says in a dry run what may not fit', async () => {
    nvidiaSmi();
    installed('cuda');
    const said: string[] = [];
    const emit: Emit = (event) => {
      if (event.type === 'note') said.push(event.message);
    };
    const flags = { models: ['30B'], modes: ['zero_offload'] };
    const [report] = await runMissing({ ...context(), emit }, 10, run({ chips: 1, flags }), true);
    expect(report?.missing).toHaveLength(1);
    expect(said.join('\n')).toContain('zero_offload 30B may not fit');
  });
});

describe('figure 13 --run', () => {
  it('says after an interruption that figure 13 goes on, not the search under it', async () => {
    nvidiaSmi();
    installed('cuda');
    const said: string[] = [];
    const emit: Emit = (event) => {
      if (event.type === 'note') said.push(event.message);
    };
    const signal = AbortSignal.abort(new Error('stopped'));
    const asked = run({ chips: 1, flags: { modes: ['zero_offload'] } });
    await expect(runMissing({ ...context(), emit, signal }, 13, asked, false)).rejects.toThrow('stopped');
    expect(said.join('\n')).toContain('To go on: superoffload figure 13 --run --chips 1 --mode zero_offload');
  });
});

describe('figureCommand', () => {
  it('is what was asked for, without what is a default', () => {
    expect(figureCommand(10, run())).toBe('superoffload figure 10 --run');
    expect(figureCommand('ablation', run({ rows: ['all on', 'ratio'] }))).toBe(
      "superoffload figure ablation --run --row 'all on' --row ratio",
    );
    const flags = { modes: ['prism', 'prism_overlap'], models: ['2B'], steps: 20, dtype: 'bf16' } as const;
    expect(figureCommand('ablation', run({ system: 'my file.json', chips: 2, repeat: 3, flags }))).toBe(
      "superoffload figure ablation --run --system 'my file.json' --chips 2 --repeat 3 --steps 20 --dtype bf16 " +
        '--mode prism --mode prism_overlap --model 2B',
    );
  });
});
