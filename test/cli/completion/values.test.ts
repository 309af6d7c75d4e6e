import { Command } from '@commander-js/extra-typings';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completions, shellNames } from '../../../src/cli/completion/complete.ts';
import { completionScript } from '../../../src/cli/completion/scripts.ts';
import type { CommandIo } from '../../../src/cli/commands/module.ts';
import { declared, type DeclaredCommand, type DeclaredValue } from '../../../src/cli/declared.ts';
import { declareVerbs } from '../../../src/cli/program.ts';
import { valueKindOf } from '../../../src/core/completion/value-kind.ts';
import { bashReply, quoteRest, readShellLine } from '../../../src/core/completion/shell-line.ts';
import { sampleHome } from '../../workflows/records/sample-home.ts';

const { home, context, store } = sampleHome();
const io: CommandIo = { context, print: () => undefined, exitWith: () => undefined };

async function allDeclared(): Promise<DeclaredCommand> {
  const program = new Command('superoffload');
  await declareVerbs(program, io, () => true);
  return declared(program);
}

interface Place extends DeclaredValue {
  readonly path: string;
  readonly name: string;
}

/** Every value that any verb takes. */
function valuesOf(command: DeclaredCommand, path: string): Place[] {
  return [
    ...command.flags.flatMap(({ name, value }) => (value === null ? [] : [{ ...value, path, name }])),
    ...command.args.map((argument) => ({ ...argument, path, name: argument.placeholder })),
    ...command.commands.flatMap((each) => valuesOf(each, path === '' ? each.name : `${path} ${each.name}`)),
  ];
}

describe('what completion knows', () => {
  it('of every flag and argument that takes a value: a new one says by its placeholder what it is', async () => {
    const values = valuesOf(await allDeclared(), '');
    expect(values.length).toBeGreaterThan(100);
    const unknown = values.filter(
      ({ path, name, placeholder, choices }) =>
        choices === null && valueKindOf(path, name, placeholder) === undefined,
    );
    expect(unknown.map(({ path, name, placeholder }) => `${path} ${name} <${placeholder}>`)).toEqual([]);
  });

  it('has no hidden verb in any list', async () => {
    expect((await allDeclared()).commands.map(({ name }) => name)).not.toContain('complete');
    const { candidates } = await completions(io, ['com']);
    expect(candidates.map(({ value }) => value)).toEqual(['compare', 'completion']);
  });

  it.each([
    [['throughput', '--mode', 'zero_offload,zero_off'], []],
    [
      ['throughput', '--scheduler', ''],
      ['local', 'hostfile', 'slurm'],
    ],
    [['campaign', 'run', '--workload', 'b'], ['builtin']],
    [['install', '--with', ''], ['megatron']],
    [['tune', '--mode', 'prism,no'], ['prism,none']],
    [
      ['tune', '--objective', ''],
      ['throughput', 'size'],
    ],
    [['install', '--ref', 'd'], ['deepspeed=']],
    [['dataset', 'make', '--text', 'a', 'b', '--dry'], ['--dry-run']],
    [['completion', 'f'], ['fish']],
    [['nonsense', 'x', ''], []],
    [['throughput', '--no-such=x'], []],
    [['runs', 'show', '--json', '--js'], []],
  ])('offers after %j: %j', async (words, expected) => {
    expect((await completions(io, words)).candidates.map(({ value }) => value)).toEqual(expected);
  });

  it('offers runs newest first, and an end of four letters where it names one', async () => {
    const ids = [store(), store()].map(({ runId }) => runId);
    const named = async (typed: string): Promise<string[]> =>
      (await completions(io, ['runs', 'show', typed])).candidates.map(({ value }) => value);
    expect(await named('2')).toEqual([...ids].reverse());
    expect(await named('000')).toEqual(['0001', '0000']);
    expect(await named('l')).toEqual(['last']);
  });

  it('takes runs from the names of their folders: no record is opened, however many there are', async () => {
    const ids = Array.from({ length: 200 }, () => store().runId);
    for (const runId of ids) writeFileSync(join(home, 'runs', runId, 'record.json'), 'no record');
    const { candidates } = await completions(io, ['runs', 'show', '2']);
    expect(candidates.map(({ value }) => value).slice(0, ids.length)).toEqual(ids.reverse());
  });
});

describe('the scripts', () => {
  it.each(shellNames)('of %s can be read by it (skipped where there is none)', (shell) => {
    const file = join(home, `script.${shell}`);
    mkdirSync(home, { recursive: true });
    writeFileSync(file, completionScript(shell));
    const checked = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    if (checked.error === undefined) expect([checked.status, checked.stderr]).toEqual([0, '']);
  });
});

describe("bash's line", () => {
  it.each([
    ['superoffload runs show c0', ['superoffload', 'runs', 'show', 'c0']],
    ['superoffload  a\\ b "c d" \'e"f\' ', ['superoffload', 'a b', 'c d', 'e"f', '']],
    ['superoffload --x="a b', ['superoffload', '--x=a b']],
    ['superoffload "a\\"b\\c', ['superoffload', 'a"b\\c']],
    ["superoffload 'a\\", ['superoffload', 'a\\']],
    ['superoffload $(rm -r x) `y`', ['superoffload', '$(rm', '-r', 'x)', '`y`']],
  ])('%s is read as %j', (line, words) => {
    expect(readShellLine(line).words).toEqual(words);
  });

  it.each([
    ['--mode=pri', '--mode=prism', '=', 'prism'],
    ['--mode=pri', '--mode=prism', '', '--mode=prism'],
    ['my', 'my stack', '=', 'my\\ stack'],
    ['my\\ s', 'my stack', '=', 'my\\ stack'],
    ['"my s', 'my stack', '=', 'my stack'],
    ["'$", '$(x)', '=', '$(x)'],
    ['"', '$(x)`y`"z', '=', '\\$(x)\\`y\\`\\"z'],
    ["'it", "it's", '=', "it'\\''s"],
    ['', '$(x)', '=', '\\$\\(x\\)'],
    ['', 'a\\b', '=', 'a\\\\b'],
  ])('%s completes to %s (breaks at %j) by %s', (typed, value, breaks, reply) => {
    expect(bashReply(readShellLine(`superoffload ${typed}`), value, breaks)).toBe(reply);
  });

  it('quotes every letter that a shell could read', () => {
    for (let code = 33; code < 127; code += 1) {
      const letter = String.fromCharCode(code);
      expect(quoteRest(letter, null)).toMatch(/^(\\.|[A-Za-z0-9_@%+:,./=-])$/);
    }
  });
});
