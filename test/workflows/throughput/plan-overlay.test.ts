import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stackPaths } from '../../../src/adapters/stack/store.ts';
import type { SeriesFile } from '../../../src/core/patches/series.schema.ts';
import { SuperOffloadError } from '../../../src/errors.ts';
import { cwd, installed, json, only, packageRoot, plan } from './plan-context.ts';

const series = JSON.parse(
  readFileSync(join(packageRoot, 'patches', 'deepspeed', 'series.json'), 'utf8'),
) as SeriesFile;
const patches = {
  ...{ seriesSha256: 'of another wording', skipped: [], files: [] },
  applied: series.patches.map(({ file, sha256 }) => ({ file, sha256 })),
  overlay: series.overlay.map(({ path, sha256 }) => ({ path, sha256 })),
};

/** A stack whose DeepSpeed is patched, or whatever `change` makes of it. */
function stack(change: object = {}, version = '0.19.8'): void {
  installed('cpu');
  const { lock } = stackPaths(join(cwd, 'home'), 'pip');
  const old = JSON.parse(readFileSync(lock, 'utf8')) as object;
  const deepspeed = {
    ...{ url: null, ref: null, commit: null, version, directory: cwd, dirtyDiffSha256: null, tree: '' },
    ...{ patches, ...change },
  };
  const upstreams = { deepspeed };
  const made = {
    ...old,
    schemaVersion: 2,
    deepspeed: { version },
    upstreams,
    apex: null,
    wheels: {},
    runtime: null,
  };
  writeFileSync(lock, JSON.stringify(made));
}

const refusal = async (...asked: Parameters<typeof plan>): Promise<SuperOffloadError> => {
  const error: unknown = await plan(...asked).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SuperOffloadError)) throw new Error('was not refused');
  return error;
};
const overlap = { modes: ['prism_overlap'] };

describe('prism_overlap', () => {
  it('is planned where the stack has the patches of now', async () => {
    stack();
    const found = await plan(overlap);
    expect(json(found)).toMatchObject({ superoffload: { optimizer: 'overlap' } });
    expect(found.notes.join()).not.toContain('patched');
  });

  it.each<[string, object, string | undefined, string]>([
    ['are reverted', { patches: null }, undefined, 'run: superoffload patch --stack pip'],
    [
      'are others',
      { patches: { ...patches, overlay: [] } },
      undefined,
      'run: superoffload patch --stack pip',
    ],
    [
      'are for another version',
      { patches: null },
      '0.17.6',
      'run: superoffload install --stack pip --deepspeed 0.19.8 --reinstall',
    ],
  ])('is refused with one message where the patches %s', async (_, change, version, hint) => {
    stack(change, version);
    const error = await refusal(overlap);
    expect(error).toMatchObject({ code: 'environment', hint });
    expect(error.message.split('\n')).toHaveLength(1);
    const { notes, plans } = await plan(overlap, { dryRun: true });
    expect(notes.join('\n')).toContain(`${error.message}: a run of this plan would be refused\n${hint}`);
    expect(plans).toHaveLength(1);
  });

  it('is left out, with the reason, where nobody asked for it by name', async () => {
    stack({ patches: null });
    const none = { modes: undefined as unknown as string[] };
    const { plans, skipped } = await plan(none);
    expect(plans.map((each) => each.case?.mode)).toEqual(['zero_offload', 'zero_infinity']);
    const left = skipped.filter(({ kind }) => kind === 'needs-patches');
    expect(left.map((each) => [each.case.mode, each.askedFor])).toEqual([['prism_overlap', false]]);
    expect(left[0]?.reason).toContain('run: superoffload patch --stack pip');
    stack();
    expect((await plan(none)).plans.map((each) => each.case?.mode)).toContain('prism_overlap');
  });

  it('has no settings under other modes either where nothing reads them', async () => {
    stack({ patches: null });
    const deepspeedOverrides = ['superoffload.pin_memory=false'];
    expect((await refusal({ deepspeedOverrides })).message).toContain(
      'all else of the section "superoffload"',
    );
    const configFile = join(cwd, 'mine.json');
    const zero = { stage: 3, offload_optimizer: { device: 'cpu' } };
    writeFileSync(
      configFile,
      JSON.stringify({ zero_optimization: zero, superoffload: { optimizer: 'overlap' } }),
    );
    const own = { modes: undefined as unknown as string[] };
    expect((await refusal(own, { configFile })).message).toContain('the patches are not applied');
    stack();
    expect(only(await plan(own, { configFile })).case?.mode).toBe('prism_overlap');
  });

  it('is trained in fp16 without clipping: its rollback is exact; not so the published one', async () => {
    stack();
    const fp16 = { dtype: 'fp16', gradientClipping: 0 } as const;
    expect(json(await plan({ ...overlap, ...fp16 }))).toMatchObject({ fp16: { enabled: true } });
    const both = ['zero_optimization.offload_optimizer.super_offload=true'];
    expect((await plan({ ...overlap, ...fp16, deepspeedOverrides: both })).plans).toHaveLength(1);
    expect((await refusal({ modes: ['prism'], ...fp16 })).message).toContain('rolls an overflowed fp16 step');
  });

  it.each([
    [
      'superoffload.speculatoin=0',
      /\/superoffload\/speculatoin: is not a known key.*did you mean "speculation"/,
    ],
    ['superoffload.speculation=2', /\/superoffload\/speculation: is 2: it must be <= 1/],
    ['superoffload.pin_memory=1', /\/superoffload\/pin_memory: is 1.*boolean/],
    ['superoffload.optimizer=overlap', /belongs to a flag.*--mode prism_overlap/],
  ])('says what is wrong with --ds %s', async (word, message) => {
    stack();
    expect((await refusal({ ...overlap, deepspeedOverrides: [word] })).message).toMatch(message);
  });

  it('of a command of the user is left alone', async () => {
    stack({ patches: null });
    const { plans } = await plan({ workload: 'command' as never }, { command: ['python', 'train.py'] });
    expect(plans).toHaveLength(1);
  });
});
