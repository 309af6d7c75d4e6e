import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSeries } from '../../../src/adapters/patches/series-folder.ts';
import { sha256Of } from '../../../src/adapters/patches/tree-files.ts';
import type { SeriesFile } from '../../../src/core/patches/series.schema.ts';
import { git, read } from './git-tree.ts';
import { refusal } from './refusal.ts';
import { makeSample, requestOf } from './sample.ts';

describe('a series that is not what it says', () => {
  const rewrite = (folder: string, change: (series: SeriesFile) => void): void => {
    const series = JSON.parse(read(folder, 'series.json')) as SeriesFile;
    change(series);
    writeFileSync(join(folder, 'series.json'), JSON.stringify(series));
  };

  it('a file with a wrong hash, a missing one, a link: named, with expected and found, all at once', async () => {
    const { seriesFolder, series } = await makeSample();
    writeFileSync(join(seriesFolder, '0001-one.patch'), `${read(seriesFolder, '0001-one.patch')}\n`);
    rmSync(join(seriesFolder, '0002-one-and-two.patch'));
    renameSync(join(seriesFolder, '0003-run.patch'), join(seriesFolder, 'elsewhere'));
    symlinkSync('elsewhere', join(seriesFolder, '0003-run.patch'));
    writeFileSync(join(seriesFolder, 'overlay/apex/__init__.py'), 'altered\n');
    const error = await readSeries(seriesFolder).catch(
      (thrown: unknown) => thrown as Error & { code: string },
    );
    expect(error).toMatchObject({ code: 'config' });
    const lines = (error as Error).message.split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(
      /0001-one\.patch: has sha256 \w{64}, which is not what series\.json says \(expected \w{64}\)/,
    );
    expect(lines[0]).toContain(series.patches[0]!.sha256);
    expect(lines[1]).toMatch(/0002-one-and-two\.patch: is missing/);
    expect(lines[2]).toMatch(/0003-run\.patch: is not a plain file/);
    expect(lines[3]).toMatch(/overlay\/apex\/__init__\.py: has sha256/);
  });

  it.each(['../out.py', '/etc/out.py', '.git/hooks/post-checkout'])(
    'the path %j: refused with its JSON path, before any file is looked at',
    async (path) => {
      const { seriesFolder } = await makeSample();
      rewrite(seriesFolder, ({ patches, overlay }) => {
        patches[2]!.files[0]!.path = path;
        overlay[1]!.path = path;
      });
      const run = readSeries(seriesFolder);
      await expect(run).rejects.toThrow(/series\.json \/patches\/2\/files\/0\/path: /);
      await expect(run).rejects.toThrow(/series\.json \/overlay\/1\/path: /);
    },
  );

  it('JSON that does not fit the schema: every fault with its path', async () => {
    const { seriesFolder } = await makeSample();
    rewrite(seriesFolder, (series) => {
      Object.assign(series.patches[0]!, { thread: 'http://x', when: { torch: '>2' }, file: '../1.patch' });
      Object.assign(series, { more: 1 });
    });
    const error = (await readSeries(seriesFolder).catch((thrown: unknown) => thrown)) as Error;
    for (const place of ['/more', '/patches/0/thread', '/patches/0/when/torch', '/patches/0/file']) {
      expect(error.message).toContain(`series.json ${place}`);
    }
  });

  const handMade = async (name: string, text: string, files: SeriesFile['patches'][number]['files']) => {
    const made = await makeSample({ edits: [], overlay: {} });
    writeFileSync(join(made.seriesFolder, name), text);
    const sha256 = sha256Of(text);
    rewrite(made.seriesFolder, ({ patches }) => {
      patches.push({ file: name, title: 't', reason: 'r', thread: null, files, sha256 });
    });
    return { ...made, request: await requestOf(made.seriesFolder, made.request.facts) };
  };
  const blob = '0123456789012345678901234567890123456789';

  it('a patch that touches what series.json does not name', async () => {
    const text = 'diff --git a/../x b/../x\n--- a/../x\n+++ b/../x\n@@ -1,1 +1,1 @@\n-a\n+b\n';
    const made = await handMade('0001-out.patch', text, [{ path: 'README', before: null, after: blob }]);
    rmSync(join(made.tree, 'README'));
    expect((await refusal(made)).message).toMatch(
      /0001-out\.patch: it touches \.\.\/x, and series\.json says README/,
    );
  });

  it('a patch that makes a symbolic link', async () => {
    const text =
      'diff --git a/link b/link\nnew file mode 120000\n--- /dev/null\n+++ b/link\n@@ -0,0 +1,1 @@\n+/etc\n\\ No newline at end of file\n';
    const made = await handMade('0001-link.patch', text, [{ path: 'link', before: null, after: blob }]);
    expect((await refusal(made)).message).toMatch(
      /0001-link\.patch: link, after the patch: expected blob 0123\w+, found no plain file/,
    );
  });

  it('a patch with another result than series.json says, and one that git refuses', async () => {
    const made = await makeSample();
    rewrite(made.seriesFolder, ({ patches }) => {
      patches[2]!.files[0]!.after = blob;
    });
    const other = { ...made, request: await requestOf(made.seriesFolder, made.request.facts) };
    expect((await refusal(other)).message).toMatch(
      /0003-run\.patch: run\.sh, after the patch: expected blob 0123\w+, found \w{40}/,
    );
    const text =
      'diff --git a/README b/README\n--- a/README\n+++ b/README\n@@ -1,1 +1,1 @@\n-not there\n+b\n';
    const refused = await handMade('0001-bad.patch', text, [
      { path: 'README', before: git(made.upstream, 'rev-parse', 'HEAD:README').trim(), after: blob },
    ]);
    expect((await refusal(refused)).message).toMatch(/0001-bad\.patch: git apply refuses it: .*README/);
  });
});
