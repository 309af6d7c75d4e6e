import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Comparison } from '../../src/core/compare/comparison.ts';
import { createSandbox } from './program.ts';
import { finish, measure, steps } from './shell-workloads.ts';

const box = createSandbox();

/** Runs a script of the user's and gives the id of its run. */
async function runOf(script: string): Promise<string> {
  const end = await box.run(measure(script));
  expect(end.code, end.stderr).toBe(0);
  return (await box.lastRecord()).runId;
}

describe('compare, as a user starts it', () => {
  it('holds tags, runs and folders against each other, in words, JSON and Markdown', async () => {
    const before = await runOf(`${steps({ to: 8, pause: 0 })}; ${finish}`);
    const tagged = await box.run(['runs', 'tag', 'base', before]);
    expect(tagged.code).toBe(0);
    expect(tagged.stdout).toMatch(/^base stands for 1 run:\n {4}\d{8}T\d{6}Z\.\.\.\w+\n$/);
    const after = await runOf(`${steps({ to: 8, pause: 0 })}; ${finish}`);
    const text = await box.run(['compare', 'base', after.slice(-4)]);
    expect(text.code, text.stderr).toBe(0);
    expect(text.stdout).toMatch(/^A {2}base: 1 run of 1 case on .*\nB {2}/);
    expect(text.stdout).toMatch(/^ {2}s\/step .* 1\+1 run$/m);
    const json = await box.run(['compare', 'base', 'last', '--metric', 'stepMs', '--json']);
    const comparison = JSON.parse(json.stdout) as Comparison;
    expect(comparison.cases).toMatchObject([{ pairedBy: 'same case', metrics: [{ metric: 'stepMs' }] }]);
    cpSync(join(box.home, 'runs', after), join(box.cwd, 'copy'), { recursive: true });
    const markdown = await box.run(['compare', 'base', 'copy', '--markdown']);
    expect(markdown.stdout).toMatch(/^\| case \| metric \| A \| B \| B\/A \|/m);
    const listed = await box.run(['runs', 'tag', '--list']);
    expect(listed.stdout).toMatch(/^base +1 /m);
  });

  it.each<[string[], RegExp]>([
    [['base', 'base'], /nothing to compare: base and base are the same runs/],
    [['base', 'nope'], /"nope": .* has no run whose id it is/],
    [['base'], /missing required argument 'b'/],
    [['base', 'last', '--metric', 'speed'], /There is no metric "speed"/],
    [['base', 'last', '--json', '--markdown'], /cannot be used with/],
    [['base', 'newer.json'], /schema version 2 is newer than 1/],
  ])('refuses %j with exit 2 and one clear message', async (argv, message) => {
    const record = await box.lastRecord();
    writeFileSync(join(box.cwd, 'newer.json'), JSON.stringify({ ...record, schemaVersion: 2 }));
    const end = await box.run(['compare', ...argv]);
    expect({ argv, code: end.code, stdout: end.stdout }).toEqual({ argv, code: 2, stdout: '' });
    expect(end.stderr).toMatch(message);
  });
});
