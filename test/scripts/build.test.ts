import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'superoffload build '));
const dist = join(folder, 'dist');
const script = join('scripts', 'build.js');

const source = (name: string, text: string): void => {
  writeFileSync(join(folder, 'src', name), text);
};
const build = (): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });

beforeAll(() => {
  mkdirSync(join(folder, 'src', 'deep'), { recursive: true });
  mkdirSync(join(folder, 'scripts'));
  cpSync(join(root, script), join(folder, script));
  cpSync(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  source('main.ts', "import { later } from './deep/later.ts';\nconsole.log(later);\n");
  source('deep/later.ts', "export const later: string = 'first';\n");
  source('old.ts', 'export const old = 1;\n');
  expect(build().status).toBe(0);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a build', () => {
  it('leaves every file of the program in place while it works: a running one may still load it', async () => {
    source('deep/later.ts', "export const later: string = 'second';\n");
    const child = spawn(process.execPath, [script], { cwd: folder, stdio: 'inherit' });
    const state = { done: false, looks: 0, absent: 0 };
    const ended = once(child, 'exit').then(() => {
      state.done = true;
    });
    while (!state.done) {
      state.looks += 1;
      if (!existsSync(join(dist, 'main.js')) || !existsSync(join(dist, 'deep', 'later.js')))
        state.absent += 1;
      await nextTurn();
    }
    await ended;
    expect(child.exitCode).toBe(0);
    expect(state.looks).toBeGreaterThan(100);
    expect(state.absent).toBe(0);
    expect(readFileSync(join(dist, 'deep', 'later.js'), 'utf8')).toContain('second');
  });

  it('takes away what has no source any more, and what a killed build has left', () => {
    rmSync(join(folder, 'src', 'old.ts'));
    mkdirSync(join(dist, '.building-999999999'));
    expect(build().status).toBe(0);
    expect(readdirSync(dist).sort()).toEqual(['deep', 'main.js']);
  });

  it('that fails leaves the program as it was', () => {
    const before = readFileSync(join(dist, 'main.js'), 'utf8');
    source('main.ts', "export const wrong: number = 'text';\n");
    const failed = build();
    expect(failed.status).toBe(1);
    expect(failed.stdout).toContain('main.ts');
    expect(readFileSync(join(dist, 'main.js'), 'utf8')).toBe(before);
    expect(readdirSync(dist).sort()).toEqual(['deep', 'main.js']);
  });
});
