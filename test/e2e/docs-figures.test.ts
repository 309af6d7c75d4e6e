import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './clone.ts';
import { createSandbox } from './program.ts';

const { cwd, run } = createSandbox();
const shown = join(root, 'docs', 'figures');
const measured = join(root, 'bench', 'measured');

/** Pictures in the documentation are what the program draws of the archive beside them, to the byte. */
describe('docs/figures (drawn again by scripts/docs-figures.sh)', () => {
  it.each([
    ['all', '--from', join(measured, 'h200-runs.tar.gz')],
    ['10', '--system', 'gh200'],
    ['all', '--system', 'gh200-nvl2'],
    ['timeline', '--from', join(measured, 'timelines-2b.tar.gz')],
    [
      'ablation',
      ...['ablation-2b', 'ablation-5b'].flatMap((name) => ['--from', join(measured, `${name}.tar.gz`)]),
    ],
  ])('figure %s %s %s', { timeout: 600_000 }, async (...words) => {
    const end = await run(['figure', ...words, '--formats', 'svg', '--out', cwd]);
    expect(end.code, end.stderr).toBe(0);
  });

  it.each(readdirSync(shown))('%s is current', (name) => {
    expect(readFileSync(join(cwd, name)).equals(readFileSync(join(shown, name)))).toBe(true);
  });
});
