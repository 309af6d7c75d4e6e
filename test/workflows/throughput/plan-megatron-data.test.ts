import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ensureSynthetic } from '../../../src/workflows/dataset/use.ts';
import { readyData } from '../../../src/workflows/runs/run-data.ts';
import { failure, run, withMegatron } from './megatron-stack.ts';
import { context, cwd, only, plan } from './plan-context.ts';

describe("a Megatron run's own data", () => {
  const vocabulary = (tokens: number, end = '<|endoftext|>'): string => {
    const entries = Array.from({ length: tokens - 1 }, (_, id) => [`t${id}`, id] as const);
    return JSON.stringify(Object.fromEntries([...entries, [end, tokens - 1]]));
  };
  let prefix = '';
  beforeEach(async () => {
    prefix = await ensureSynthetic(join(cwd, 'home'), { vocabulary: 512, tokens: 4096, seed: 1 });
    writeFileSync(join(cwd, 'merges.txt'), '#version: 0.2\n');
  });

  it('is named from the folder that the user stands in', async () => {
    withMegatron();
    writeFileSync(join(cwd, 'vocab.json'), vocabulary(500));
    const relative = prefix.slice(cwd.length + 1);
    const found = only(
      await run({ dataPath: relative, vocabFile: 'vocab.json', mergeFile: 'merges.txt' }),
    ).command.join(' ');
    expect(found).toContain(`--data-path ${prefix} --vocab-file ${cwd}/vocab.json`);
    expect(found).toContain(`--vocab-file ${cwd}/vocab.json --merge-file ${cwd}/merges.txt`);
  });

  it.each(['megatron', 'builtin'] as const)(
    'is refused for %s when it is missing or cut',
    async (workload) => {
      withMegatron();
      const dataPath = join(cwd, 'nothing');
      const asked = { workload, dataPath, modes: ['zero_offload'] };
      const error = await plan(asked).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'environment' });
      expect((await plan(asked, { dryRun: true })).plans).toHaveLength(1);
      writeFileSync(`${prefix}.bin`, readFileSync(`${prefix}.bin`).subarray(0, 100));
      await expect(plan({ ...asked, dataPath: prefix })).rejects.toMatchObject({ code: 'environment' });
    },
  );

  it.each<[string, () => string, RegExp]>([
    ['too large', () => vocabulary(513), /has 513 tokens \(expected at most 512|has 513 tokens/],
    ['without an end of a document', () => vocabulary(500, 'end'), /has no token <\|endoftext\|>/],
    ['that is none', () => '[1]', /is no vocabulary/],
  ])('needs a vocabulary that is not %s', async (_, text, message) => {
    withMegatron();
    writeFileSync(join(cwd, 'vocab.json'), text());
    const error = await failure({ vocabFile: 'vocab.json', mergeFile: 'merges.txt' });
    expect(error).toMatchObject({ code: 'environment' });
    expect(error.message).toMatch(message);
  });

  it('is looked at again before a plan is run, which may be an old one', async () => {
    withMegatron();
    writeFileSync(join(cwd, 'vocab.json'), vocabulary(500));
    const found = only(await run({ dataPath: prefix, vocabFile: 'vocab.json', mergeFile: 'merges.txt' }));
    await readyData(context(), found);
    rmSync(join(cwd, 'vocab.json'));
    await expect(readyData(context(), found)).rejects.toMatchObject({
      code: 'environment',
      message: expect.stringContaining('vocab.json: is no file') as string,
    });
  });

  it('needs files that are there', async () => {
    withMegatron();
    const { message } = await failure({ vocabFile: 'no.json', mergeFile: 'no.txt' });
    expect(message).toMatch(/no\.json: is no file[^]*no\.txt: is no file/);
  });
});
