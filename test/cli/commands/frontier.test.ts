import { Command } from '@commander-js/extra-typings';
import { describe, expect, it } from 'vitest';
import { declare as declareModelSize } from '../../../src/cli/commands/model-size.ts';
import { declare as declareSequenceLength } from '../../../src/cli/commands/sequence-length.ts';
import { context, installed } from '../../workflows/throughput/plan-context.ts';

interface Ended {
  readonly text: string;
  readonly code: number;
}

/** Runs a verb as the program does; nothing is started with --dry-run. */
async function run(declare: typeof declareModelSize, argv: readonly string[]): Promise<Ended> {
  installed('cuda');
  const found = { text: '', code: 0 };
  const command = new Command('verb').exitOverride().configureOutput({ writeErr: () => undefined });
  declare(command, {
    context: context(),
    print: (text) => void (found.text += `${text}\n`),
    exitWith: (code) => void (found.code = code),
  });
  await command.parseAsync([...argv], { from: 'user' });
  return found;
}
const modelSize = (...argv: string[]): Promise<Ended> => run(declareModelSize, [...argv, '--dry-run']);
const sequenceLength = (...argv: string[]): Promise<Ended> =>
  run(declareSequenceLength, [...argv, '--dry-run']);

describe('superoffload model-size --dry-run', () => {
  it('shows the candidates in the order of parameters, the prediction, and the first launch', async () => {
    const { text, code } = await modelSize('--system', 'h200', '--mode', 'zero_offload');
    expect(code).toBe(0);
    const sizes = [...text.matchAll(/^(\S+B\S*) .*(?:fits|too large for the (?:GPU|host))$/gm)].map(
      ([, name]) => name,
    );
    expect(sizes.slice(0, 4)).toEqual(['1B', '2B', '3B', '3.5B']);
    expect(sizes).toContain('60B');
    const [, edge] = /^zero_offload: predicted (\S+)$/m.exec(text) ?? [];
    expect(sizes).toContain(edge);
    expect(text.match(/^## run\.sh$/gm)).toHaveLength(1);
    expect(text).toMatch(
      /^first launch:\n# zero_offload, \S+, 1 chip, batch 1, sequence 2048, bf16, recompute$/m,
    );
  });

  it('has one candidate for two names of one shape', async () => {
    const { text } = await modelSize('--system', 'gh200-nvl2', '--chips', '16', '--mode', 'prism', '--json');
    const { searches } = JSON.parse(text) as {
      searches: { candidates: { name: string; case: unknown }[] }[];
    };
    const names = searches[0]?.candidates.map(({ name }) => name) ?? [];
    expect(names).toContain('150B');
    expect(names).not.toContain('100B-artifact');
    const shapes = searches[0]?.candidates.map((candidate) => JSON.stringify(candidate.case)) ?? [];
    expect(new Set(shapes).size).toBe(shapes.length);
  });

  it('launches each size that is given, by name or by its numbers', async () => {
    const { text } = await modelSize(
      '--system',
      'h200',
      '--mode',
      'ddp',
      '--model',
      '2B',
      '--model',
      '21x2048',
    );
    expect(text).toContain('launches:');
    expect(new Set(text.match(/^# ddp, \S+/gm))).toEqual(new Set(['# ddp, 21x2048,', '# ddp, 2B,']));
  });

  it('takes a step of layers in words, and refuses what is none', async () => {
    const argv = ['--system', 'h200', '--mode', 'ddp', '--resolution'];
    expect((await modelSize(...argv, '1', 'layer')).code).toBe(0);
    expect((await modelSize(...argv, '4')).code).toBe(0);
    await expect(modelSize(...argv, '0')).rejects.toMatchObject({ code: 'usage' });
    await expect(modelSize(...argv, 'fine')).rejects.toThrow('--resolution: "fine" is no step');
  });

  it('says every fault of the flags at once', async () => {
    await expect(modelSize('--mode', 'prsm', '--model', '99B')).rejects.toThrow(/--mode: .*\n.*--model: /);
  });
});

describe('superoffload sequence-length --dry-run', () => {
  it('doubles from 16K to 1M, and all chips share each sequence', async () => {
    const { text } = await sequenceLength(
      '--system',
      'gh200-nvl2',
      '--chips',
      '4',
      '--mode',
      'prism-ulysses',
    );
    const lengths = [...text.matchAll(/^(\d+[KM]) .*(?:fits|too large for the (?:GPU|host))$/gm)].map(
      ([, name]) => name,
    );
    expect(lengths).toEqual(['16K', '32K', '64K', '128K', '256K', '512K', '1M']);
    expect(text).toMatch(/^# prism_ulysses, 13B, 4 chips, .* shared by 4, bf16/m);
  });

  it('searches each size of 8 chips apart, in both modes', async () => {
    const { text } = await sequenceLength('--system', 'gh200-nvl2', '--chips', '8', '--json');
    const { searches } = JSON.parse(text) as { searches: { mode: string; candidates: unknown[] }[] };
    expect(searches).toHaveLength(4);
    expect(searches[0]).toMatchObject({
      mode: 'prism_ulysses',
      first: expect.stringMatching(/^\d+[KM]$/) as string,
    });
    expect(searches.every(({ candidates }) => candidates.length === 7)).toBe(true);
  });

  it('launches the length that is given', async () => {
    const argv = [
      '--system',
      'gh200-nvl2',
      '--chips',
      '4',
      '--sequence-length',
      '65536',
      '--mode',
      'ulysses',
    ];
    const { text } = await sequenceLength(...argv, '--no-activation-checkpointing');
    expect(text).toMatch(/^# ulysses, 13B, 4 chips, .*sequence 65536 shared by 4, bf16(?!.*recompute)/m);
  });

  it('refuses heads and sequences that the chips cannot share, before anything is started', async () => {
    const three = sequenceLength('--system', 'gh200-nvl2', '--chips', '3', '--mode', 'ulysses');
    await expect(three).rejects.toThrow(
      /^--sequence-parallel: 3 ranks cannot share the 32 heads of 2B.*\n--sequence-length: 16384 tokens.*$/,
    );
    const odd = ['--system', 'gh200-nvl2', '--chips', '4', '--sequence-length', '4098', '--mode', 'ulysses'];
    await expect(sequenceLength(...odd)).rejects.toThrow('4098 tokens cannot be shared by 4 ranks');
    const argv = ['--system', 'gh200-nvl2', '--chips', '4', '--mode', 'ulysses', '--resolution'];
    await expect(sequenceLength(...argv, '1001')).rejects.toThrow(
      '--resolution: 1001 tokens cannot be shared',
    );
    await expect(sequenceLength(...argv, '4')).rejects.toThrow('too fine a step');
    expect((await sequenceLength(...argv, '16K')).code).toBe(0);
  });
});
