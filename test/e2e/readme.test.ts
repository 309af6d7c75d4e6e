import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomeClasses } from '../../src/core/logs/events.ts';
import { sharedHome } from '../real-stack.ts';
import { cloneWorkingTree, npmEnvironment, root, temporaryFolder } from './clone.ts';
import { expectNoStack, program, startProgram, type ProgramEnd } from './program.ts';

/**
 * Runs what README.md and docs/ tell people to run, in a fresh clone. An HTML comment above each block says how:
 * `test: run`, `test: dry-run` (each command with --dry-run), or `test: skip (REASON)`.
 */
interface Block {
  readonly file: string;
  readonly line: number;
  readonly how: 'run' | 'dry-run' | 'skip' | 'UNMARKED';
  readonly reason: string | undefined;
  readonly commands: readonly string[];
}

const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);

function readBlocks(file: string): Block[] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  return lines.flatMap((text, index) => {
    if (!/^```(sh|bash|shell|console)$/.test(text)) return [];
    const above = lines.slice(0, index).findLast((line) => line.trim() !== '') ?? '';
    const mark = /^<!-- test: (run|dry-run|skip)(?: \((.+)\))? -->$/.exec(above);
    const rest = lines.slice(index + 1);
    const commands = rest.slice(0, rest.indexOf('```')).filter((line) => !/^\s*(#|$)/.test(line));
    const how = (mark?.[1] ?? 'UNMARKED') as Block['how'];
    return [{ file, line: index + 1, how, reason: mark?.[2], commands }];
  });
}

/** `--dry-run` belongs to superoffload: before the `--` after which another command begins. */
function dry(command: string): string {
  return command.includes(' -- ') ? command.replace(' -- ', ' --dry-run -- ') : `${command} --dry-run`;
}

const blocks = documents.flatMap(readBlocks);
const clone = temporaryFolder();
const runsBefore = new Set<string>();

const runIn = (folder: string, file: string, argv: readonly string[]): Promise<ProgramEnd> =>
  startProgram(file, argv, { cwd: folder, env: { ...npmEnvironment, SUPEROFFLOAD_HOME: sharedHome } }).ended;

async function runIds(): Promise<string[]> {
  const { stdout } = await runIn(clone, process.execPath, [program, 'runs', 'list', '--json']);
  return (JSON.parse(stdout) as { runId: string }[]).map(({ runId }) => runId);
}

beforeAll(async () => {
  cloneWorkingTree(clone);
  for (const id of await runIds()) runsBefore.add(id);
});
afterAll(async () => {
  const made = (await runIds()).filter((id) => !runsBefore.has(id));
  if (made.length > 0) await runIn(clone, process.execPath, [program, 'runs', 'rm', ...made]);
});

describe('README.md and docs/', () => {
  it('marks every command block, and begins with the one that sets up a clone', () => {
    expect(blocks.filter(({ how }) => how === 'UNMARKED').map(({ file, line }) => `${file}:${line}`)).toEqual(
      [],
    );
    expect(blocks.filter(({ how, reason }) => how === 'skip' && reason === undefined)).toEqual([]);
    expect(blocks[0]?.how).toBe('run');
    expect(blocks[0]?.commands[0]).toMatch(/^npm ci/);
  });

  it.each(documents)('%s links to files that are there', (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !existsSync(join(root, dirname(file), target)))).toEqual([]);
  });

  it('says of each outcome what it means and what to do', () => {
    const text = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
    expect([...text.matchAll(/^### (\w+)\n\n\S/gm)].map(([, name]) => name)).toEqual([...outcomeClasses]);
  });

  for (const { file, line, how, reason, commands } of blocks) {
    for (const command of commands) {
      it(`${file}:${line}: ${command}`, { timeout: 600_000 }, async (context) => {
        if (how === 'skip' || how === 'UNMARKED') context.skip(reason ?? 'the block is not marked');
        const end = await runIn(clone, 'sh', ['-c', how === 'dry-run' ? dry(command) : command]);
        expectNoStack(end);
        expect(end.code, end.stderr.slice(-3000)).toBe(0);
        expect(end.stdout.trim()).not.toBe('');
      });
    }
  }
});
