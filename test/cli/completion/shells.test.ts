import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTerminal, provideShell, type Terminal } from './shells.ts';

const root = mkdtempSync(join(tmpdir(), 'superoffload-shells-'));
const cwd = join(root, 'here');
const home = join(root, 'home');
const newest = '20260203T040506Z-prism-2b-1chip-s1024-b8x1-bf16-0123abcd-c0fe';
const runIds = [newest, '20260102T030405Z-zero-offload-2b-1chip-s1024-b8x1-bf16-4567abcd-beef'];
const hostileStacks = [
  'my stack',
  `it's "so"`,
  '$(touch hostile)',
  '`touch hostile`; touch hostile',
  'tab\there',
  'line\nfeed',
  '\u001b[31mred',
  'wörld',
  '-dash',
];

beforeAll(() => {
  mkdirSync(cwd, { recursive: true });
  for (const name of hostileStacks) mkdirSync(join(home, 'stacks', name), { recursive: true });
  for (const id of runIds) mkdirSync(join(home, 'runs', id), { recursive: true });
  // What is no run, though it lies there.
  mkdirSync(join(home, 'runs', '20269999-$(touch hostile)'), { recursive: true });
  mkdirSync(join(home, 'campaigns', 'fig-10'), { recursive: true });
  mkdirSync(join(home, 'tags'));
  writeFileSync(join(home, 'tags', 'nightly.json'), '{}');
  writeFileSync(join(cwd, 'a config.json'), '{}');
  mkdirSync(join(cwd, 'a folder'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true, maxRetries: 10 });
});

const lines: readonly (readonly [what: string, keys: string, words: readonly string[]])[] = [
  ['a verb', 'superoffload thr\t', ['throughput']],
  ['a subcommand', 'superoffload runs sh\t', ['runs', 'show']],
  ['a flag', 'superoffload throughput --activation-c\t', ['throughput', '--activation-checkpointing']],
  ['a mode', 'superoffload throughput --mode pri\t', ['throughput', '--mode', 'prism']],
  ['a mode behind =', 'superoffload throughput --mode=ulys\t', ['throughput', '--mode=ulysses']],
  [
    'a mode of a list',
    'superoffload throughput --mode ddp,zero_3,ulys\t',
    ['throughput', '--mode', 'ddp,zero_3,ulysses'],
  ],
  ['a choice', 'superoffload throughput --dtype b\t', ['throughput', '--dtype', 'bf16']],
  ['a size', 'superoffload predict --model 150\t', ['predict', '--model', '150B']],
  ['a system', 'superoffload predict --system gh200-nv\t', ['predict', '--system', 'gh200-nvl2']],
  ['a run by its beginning', 'superoffload runs show 202602\t', ['runs', 'show', newest]],
  ['a run by its end', 'superoffload runs show c0\t', ['runs', 'show', 'c0fe']],
  ['a second run', 'superoffload runs rm beef c0\t', ['runs', 'rm', 'beef', 'c0fe']],
  ['a campaign', 'superoffload campaign status fi\t', ['campaign', 'status', 'fig-10']],
  ['a tag', 'superoffload compare nig\t beef', ['compare', 'nightly', 'beef']],
  ['a format', 'superoffload figure 10 --formats svg,js\t', ['figure', '10', '--formats', 'svg,json']],
  [
    'a key of a filter',
    'superoffload campaign run x --filter dt\t',
    ['campaign', 'run', 'x', '--filter', 'dtype='],
  ],
  ['a file', 'superoffload throughput --config a\\ c\t', ['throughput', '--config', 'a config.json']],
  ['a folder', 'superoffload figure 10 --out a\\ f\t', ['figure', '10', '--out', 'a folder']],
  ['a name with a blank', 'superoffload stacks show my\t', ['stacks', 'show', 'my stack']],
  ['a name with quotes', 'superoffload stacks show it\t', ['stacks', 'show', `it's "so"`]],
  ['a name of a command', "superoffload stacks show '$\t", ['stacks', 'show', '$(touch hostile)']],
  [
    'a name of a command, without a quote',
    'superoffload stacks show \\$\t',
    ['stacks', 'show', '$(touch hostile)'],
  ],
  [
    'a name of two commands',
    'superoffload stacks show \\`\t',
    ['stacks', 'show', '`touch hostile`; touch hostile'],
  ],
  ['a name with other letters', 'superoffload stacks show wö\t', ['stacks', 'show', 'wörld']],
  ['nothing that cannot be shown', 'superoffload stacks show tab\t', ['stacks', 'show', 'tab']],
];

const missing = (['bash', 'zsh', 'fish'] as const).map((shell) => [shell, provideShell(shell)] as const);
const present = missing.flatMap(([shell, why]) => (why === null ? [shell] : []));

describe('completion in the real shells', () => {
  const terminals: Terminal[] = [];
  beforeAll(async () => {
    terminals.push(...(await Promise.all(present.map((shell) => openTerminal(shell, cwd, home)))));
  }, 600_000);
  afterAll(() => {
    for (const { close } of terminals) close();
  });

  for (const [shell, why] of missing) {
    it.skipIf(why !== null)(`is looked at in ${shell}${why === null ? '' : `: ${why}`}`, () => {
      expect(present).toContain(shell);
    });
  }

  it.each(lines)('completes %s', async (_what, keys, words) => {
    const heard = await Promise.all(terminals.map(({ enter }) => enter(keys)));
    const [first, ...rest] = heard.map((each) => each.map((word) => word.replace(/\/$/, '')));
    expect(first).toEqual(words);
    for (const each of rest) expect(each).toEqual(words);
    expect(existsSync(join(cwd, 'hostile'))).toBe(false);
  });

  it('shows what there is, and no letter of a name that a terminal obeys', async () => {
    const shown = await Promise.all(
      terminals.map(({ see }) => see('superoffload stacks show \t\t', 'wörld')),
    );
    for (const each of shown) expect(each).not.toContain('\u001b[31mred');
    expect(await Promise.all(terminals.map(({ enter }) => enter('superoffload again')))).toEqual(
      terminals.map(() => ['again']),
    );
    expect(existsSync(join(cwd, 'hostile'))).toBe(false);
  });
});
