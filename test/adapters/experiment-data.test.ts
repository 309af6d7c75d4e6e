import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  dataFolders,
  readExperiment,
  readModels,
  readSystem,
  readSystems,
  scanSystems,
  userFiles,
} from '../../src/adapters/experiment-data.ts';
import { exitCodeOf } from '../../src/errors.ts';

const packageRoot = new URL('../../', import.meta.url).pathname;
let cwd = '';
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(cwd, path)), { recursive: true });
  writeFileSync(join(cwd, path), text);
};
const folders = (): readonly string[] => dataFolders({ cwd, packageRoot });
const failure = (work: () => unknown): { message: string; exitCode: number } => {
  try {
    work();
  } catch (error) {
    return { message: (error as Error).message.replaceAll(cwd, ''), exitCode: exitCodeOf(error) };
  }
  throw new Error('it did not fail');
};

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'superoffload data '));
});
afterEach(() => {
  rmSync(cwd, { recursive: true, force: true });
});

describe('the data of the package', () => {
  it("has the paper's sizes and its own, all sound", () => {
    const byName = new Map(readModels(folders()).map((entry) => [entry.shape.name, entry]));
    expect(byName.get('15B')?.shape).toMatchObject({ layers: 78, hidden: 4096 });
    expect(byName.get('15B-artifact')?.shape).toMatchObject({ layers: 18, hidden: 8192 });
    expect(byName.get('2B')?.shape).toMatchObject({ heads: 32, paddedVocabulary: 50432 });
    expect([...byName.values()].every(({ source }) => source.length > 5)).toBe(true);
  });

  it('has only sizes in experiments that model.json knows', () => {
    const known = new Set(readModels(folders()).map((entry) => entry.shape.name));
    const { cuda, cpu } = readExperiment('throughput', folders());
    const named = [cuda, cpu].flatMap(({ byChips }) =>
      Object.values(byChips).flatMap(({ models }) => models),
    );
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('has local, cpu and h200', () => {
    expect(readSystems(folders()).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['cpu', 'h200', 'local']),
    );
  });
});

describe("the user's own files", () => {
  it("beat the package's, size by size", () => {
    write(
      'experiment/model.json',
      JSON.stringify({
        models: {
          '2B': { layers: 41, hidden: 2048, source: 'mine' },
          mine: { layers: 2, hidden: 96, heads: 3, vocabulary: 1000, source: 'mine' },
        },
      }),
    );
    const byName = new Map(readModels(folders()).map((entry) => [entry.shape.name, entry.shape]));
    expect(byName.get('2B')?.layers).toBe(41);
    expect(byName.get('mine')).toMatchObject({ heads: 3, paddedVocabulary: 1024 });
    expect(byName.has('1B')).toBe(true);
    expect(
      readModels(folders())
        .filter(({ isUsers }) => isUsers)
        .map(({ shape }) => shape.name),
    ).toEqual(['2B', 'mine']);
  });

  it('are told apart from an empty folder and from the package itself', () => {
    expect(userFiles(folders())).toBeNull();
    expect(userFiles(dataFolders({ cwd: packageRoot, packageRoot }))).toBeNull();
    write('experiment/systems/local.json', '{}');
    write('experiment/model.json', '{}');
    expect(userFiles(folders())).toEqual({
      folder: join(cwd, 'experiment'),
      files: ['model.json', 'systems/local.json'],
    });
  });

  it('give a system and an experiment by name, and an experiment by path', () => {
    const system = { ...readSystem('local', folders()).file, title: 'mine' };
    write('experiment/systems/local.json', JSON.stringify(system));
    expect(readSystem('local', folders()).file.title).toBe('mine');
    const mine = { ...readExperiment('throughput', folders()), title: 'mine' };
    write('experiment/throughput.json', JSON.stringify(mine));
    expect(readExperiment('throughput', folders()).title).toBe('mine');
    expect(readExperiment(join(cwd, 'experiment/throughput.json'), folders()).title).toBe('mine');
  });
});

describe('a faulty profile of the user', () => {
  it('stops whoever asks for it, and nobody else; one without a byte is none', () => {
    write('experiment/systems/broken.json', '{');
    write('experiment/systems/empty.json', '');
    expect(readSystem('h200', folders()).name).toBe('h200');
    expect(readSystems(folders()).map(({ name }) => name)).not.toContain('broken');
    expect(failure(() => readSystem('broken', folders()))).toMatchObject({
      message: expect.stringMatching(/broken\.json:1:2/) as string,
      exitCode: 2,
    });
    expect(failure(() => readSystem('empty', folders())).message).toContain('there is no system "empty"');
    expect([...scanSystems(folders()).faults.values()].flat()).toHaveLength(1);
  });
});

describe('bad input: exit 2, every fault, its place', () => {
  it.each([
    [
      'a syntax error',
      '{\n  "models": {\n    "a": {"layers": 2,}\n  }\n}',
      ['/experiment/model.json:3:23: unexpected "}" (expected a key in double quotes)'],
    ],
    [
      'a duplicate key',
      '{"models": {"a": {"layers": 2, "hidden": 64, "source": "x"}, "a": {"layers": 3, "hidden": 64, "source": "x"}}}',
      ['/experiment/model.json:1:62: the key "a" is there twice (expected each key once)'],
    ],
    [
      'missing keys',
      '{"models": {"a": {"hidden": 64}}}',
      [
        '/experiment/model.json /models/a/layers: is missing',
        '/experiment/model.json /models/a/source: is missing',
      ],
    ],
    [
      '0 layers',
      '{"models": {"a": {"layers": 0, "hidden": 64, "source": "x"}}}',
      ['/experiment/model.json /models/a/layers: is 0: it must be >= 1'],
    ],
    [
      'heads that do not divide',
      '{"models": {"a": {"layers": 2, "hidden": 100, "source": "x"}}}',
      [
        '/experiment/model.json /models/a/hidden: 100 is not divisible by 32 heads (expected a multiple of 32, or another "heads")',
      ],
    ],
    ['an empty file', '', ['/experiment/model.json:1:1: unexpected end of the file (expected a value)']],
  ])('%s', (_name, text, lines) => {
    write('experiment/model.json', text);
    expect(failure(() => readModels(folders()))).toEqual({ message: lines.join('\n'), exitCode: 2 });
  });

  it('an unknown system or experiment', () => {
    expect(failure(() => readSystem('h20', folders()))).toEqual({
      message: '--system: there is no system "h20" (expected h200)',
      exitCode: 2,
    });
    expect(failure(() => readExperiment('no/such.json', folders())).exitCode).toBe(2);
  });

  it('a folder in the place of a file is the environment: exit 3', () => {
    mkdirSync(join(cwd, 'experiment/model.json'), { recursive: true });
    expect(failure(() => readModels(folders()))).toMatchObject({ exitCode: 3 });
  });
});
