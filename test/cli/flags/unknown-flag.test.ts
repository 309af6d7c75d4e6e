import { Command } from '@commander-js/extra-typings';
import { describe, expect, it } from 'vitest';
import { commands } from '../../../src/cli/commands/index.ts';
import type { CommandIo } from '../../../src/cli/commands/module.ts';
import { foreignFlags, unknownFlagHint } from '../../../src/cli/flags/unknown-flag.ts';
import { declareVerbs } from '../../../src/cli/program.ts';
import { sampleHome } from '../../workflows/records/sample-home.ts';

const { context } = sampleHome();
const io: CommandIo = { context, print: () => undefined, exitWith: () => undefined };
const verbs = commands.map(({ name }) => name);
const program = new Command('superoffload');
await declareVerbs(program, io, () => true);
const flagsOf = (verb: string): string[] =>
  program.commands.find((each) => each.name() === verb)?.options.map(({ long }) => long ?? '') ?? [];
const hint = (...argv: string[]): string | null => {
  const flag = argv.find((word) => word.startsWith('--')) ?? '';
  const verb = argv.find((word) => verbs.includes(word)) ?? '';
  return unknownFlagHint(`error: unknown option '${flag}'`, argv, verbs, flagsOf(verb));
};

describe('a flag that a command does not know', () => {
  it('is told by the name that it has here, where the command has it', () => {
    expect(hint('throughput', '--fp16')).toBe('here that is --dtype fp16');
    expect(hint('config', '--seq-len=2048')).toBe('here that is --sequence-length');
    expect(hint('runs', '--fp16')).toBeNull();
    expect(hint('throughput', '--nonsense')).toBeNull();
  });

  it('stands behind its command', () => {
    expect(hint('--json', 'models')).toBe('flags stand behind their command: superoffload models --json');
  });

  it('stands for one that some command has', () => {
    const all = verbs.flatMap(flagsOf);
    for (const [here] of foreignFlags) expect(all).toContain(here.split(' ')[0]);
  });
});
