import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manPage } from '../../scripts/man.ts';
import { commands } from '../../src/cli/commands/index.ts';

const path = join(import.meta.dirname, '..', '..', 'man', 'superoffload.1');
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

describe('the man page', () => {
  it('is what the declarations say now: npx tsx scripts/man.ts writes it', async () => {
    expect(readFileSync(path, 'utf8')).toBe(await manPage());
  });

  it('names every verb that has help', () => {
    const page = readFileSync(path, 'utf8').replaceAll('\\-', '-');
    for (const { name, hidden } of commands) expect(page.includes(`.SS "${name}`)).toBe(hidden !== true);
  });

  it.skipIf(!has('groff'))('is set by groff without a warning (skipped: no groff)', () => {
    const set = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-rHY=0', path], { encoding: 'utf8' });
    expect(set.stderr).toBe('');
    expect(set.stdout).toContain('SUPEROFFLOAD(1)');
  });

  it.skipIf(!has('mandoc'))('has nothing that mandoc warns of (skipped: no mandoc)', () => {
    const linted = spawnSync('mandoc', ['-Tlint', '-Wwarning', path], { encoding: 'utf8' });
    // It has no date, so that the same sources give the same text.
    const warnings = linted.stdout
      .split('\n')
      .filter((line) => line !== '' && !line.includes('missing date'));
    expect(warnings).toEqual([]);
  });
});
