import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nameOfGone } from './name-of-gone.ts';
import { leftoversBeside, removeLeftovers, temporaryBeside } from '../../src/adapters/leftovers.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'superoffload-leftovers-'));

describe('what killed commands leave beside a path', () => {
  it('goes once its maker is gone, whatever it is, and nothing else does', async () => {
    const path = join(folder(), 'a.tar.gz');
    const [gone, running] = [nameOfGone(path), temporaryBeside(path)];
    const elsewhere = running.replace(/\.[0-9a-f]{8}-/, '.00000000-');
    const others = ['.a.tar.gz.mine', '.a.tar.gz.0123abcd', 'a.tar.gz', '.b.tar.gz.x'].map((name) =>
      join(path, '..', name),
    );
    for (const file of [running, elsewhere, ...others]) writeFileSync(file, 'x');
    mkdirSync(join(gone, 'runs'), { recursive: true });
    writeFileSync(join(gone, 'runs', 'x.html'), 'x');
    mkdirSync(`${gone}.old`);
    expect(await leftoversBeside(path)).toEqual({ abandoned: [gone, `${gone}.old`], unknown: [elsewhere] });
    expect(await removeLeftovers(path)).toEqual([elsewhere]);
    expect(readdirSync(join(path, '..'))).toHaveLength(6);
    expect(existsSync(gone) || existsSync(`${gone}.old`)).toBe(false);
  });

  it('has a name that fits a file system, and none in a folder that is not there', async () => {
    expect(basename(temporaryBeside(`/x/${'n'.repeat(255)}`)).length).toBeLessThan(255);
    expect(await leftoversBeside('/nowhere/at/all')).toEqual({ abandoned: [], unknown: [] });
  });
});
