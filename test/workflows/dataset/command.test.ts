import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readManifest } from '../../../src/adapters/dataset/manifest.ts';
import { capture, type CommandResult } from '../../../src/adapters/exec.ts';
import { writeIndex } from '../../../src/core/dataset/indexed.ts';

const packageRoot = join(import.meta.dirname, '..', '..', '..');
const cwd = mkdtempSync(join(tmpdir(), "superoffload data's "));
afterAll(() => {
  rmSync(cwd, { recursive: true, force: true });
});

async function dataset(...flags: string[]): Promise<CommandResult> {
  const program = ['--import', import.meta.resolve('tsx'), join(packageRoot, 'src/main.ts'), 'dataset'];
  const env = { ...process.env, SUPEROFFLOAD_HOME: join(cwd, 'home') };
  const result = await capture([process.execPath, ...program, ...flags], { env, cwd, timeoutMs: 30_000 });
  const shown = (text: string): string => text.replaceAll(cwd, 'CWD');
  return { ...result, stdout: shown(result.stdout), stderr: shown(result.stderr) };
}

describe('superoffload dataset', () => {
  it('makes, describes and checks a synthetic set', async () => {
    const flags = ['make', '--synthetic', '100000', '--vocab-size', '1000', '--out', 'made'];
    const dry = await dataset(...flags, '--dry-run');
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(dry.stdout).toMatch(/^would write +CWD\/made\/synthetic\.bin, CWD\/made\/synthetic\.idx$/m);
    expect(readdirSync(cwd)).not.toContain('made');

    const made = await dataset(...flags);
    expect(made.exitCode).toBe(0);
    expect(made.stdout).toMatch(/^use it with +--data-path .*made\/synthetic'?$/m);
    expect(made.stderr).toContain('ok  write 100000 synthetic tokens');

    const info = JSON.parse((await dataset('info', 'made/synthetic', '--json')).stdout) as object;
    expect(info).toMatchObject({ schemaVersion: 1, tokens: 100_000, type: 'uint16', bytes: 200_000 });
    expect(info).toMatchObject({ tokenIds: { largest: 999, isSample: false }, hasUncountedEnds: false });

    expect(await dataset('verify', 'made')).toMatchObject({
      exitCode: 0,
      stdout: 'ok      CWD/made/synthetic.idx: index and .bin agree',
    });
    expect(await dataset(...flags)).toMatchObject({ exitCode: 2, stdout: '' });
    truncateSync(join(cwd, 'made/synthetic.bin'), 199_998);
    const cut = await dataset('verify', 'made/synthetic.bin');
    expect(cut.exitCode).toBe(3);
    expect(cut.stdout).toContain(
      'FAULT   CWD/made/synthetic.bin is cut: 199998 bytes (expected 200000 bytes',
    );
    expect(await dataset('info', 'made/synthetic')).toMatchObject({ exitCode: 3, stdout: '' });
  });

  it('describes a set of any name by what is in it', async () => {
    writeFileSync(join(cwd, 'gpt2_text_document.idx'), writeIndex('int32', [2, 5, 3, 1]));
    writeFileSync(join(cwd, 'gpt2_text_document.bin'), Buffer.alloc(60));
    const { stdout } = await dataset('info', 'gpt2_text_document');
    expect(stdout).toMatch(/^documents +4$/m);
    expect(stdout).toMatch(/^document +1 tokens the shortest, 2\.5 median, 5 the longest$/m);
    expect(stdout).toMatch(
      /^note +each document has an end-of-document token that the index does not count$/m,
    );
    const verified = await dataset('verify', 'gpt2_text_document');
    expect(verified.exitCode).toBe(3);
    expect(verified.stdout.match(/^FAULT.*\.bin/gm)).toHaveLength(1);
    expect(verified.stdout).toContain(
      'FAULT   CWD/gpt2_text_document.bin is cut, or another file: 60 bytes, not 468678968',
    );
  });

  it('refuses flags that contradict each other, all at once, and says where nothing is', async () => {
    const both = await dataset('make', '--synthetic', '5', '--text', 'a', '--stack', 'x', '--out', 'o');
    expect(both.exitCode).toBe(2);
    expect(both.stderr).toContain('--text, --synthetic: both are given');
    expect(both.stderr).toContain('--stack: says nothing about --synthetic');
    const nothing = await dataset('verify');
    expect(nothing).toMatchObject({ exitCode: 3, stdout: '' });
    expect(nothing.stderr).toContain('CWD/home/datasets/gpt2: no data set is there');
    expect(nothing.stderr).toContain('superoffload dataset fetch');
  });
});

describe('training_datasets/manifest.json', () => {
  it('fits its schema, and its index is not in Git LFS', async () => {
    const manifest = await readManifest(packageRoot);
    expect(manifest.files.map(({ file, lfs }) => [file, lfs])).toEqual([
      ['gpt2_text_document.bin', true],
      ['gpt2_text_document.idx', false],
      ['gpt2-vocab.json', false],
      ['gpt2-merges.txt', false],
    ]);
    expect(readFileSync(join(packageRoot, 'training_datasets/README.md'), 'utf8')).toContain('dataset fetch');
  });
});
