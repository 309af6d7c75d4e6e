import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const source = join(import.meta.dirname, '..', 'src');

interface Import {
  readonly from: string;
  /** A path below src for a relative import, else the package or `node:` module. */
  readonly to: string;
  readonly kind: 'relative' | 'node' | 'package';
  readonly typeOnly: boolean;
  /** `import()` inside a function: loaded when that runs, so it closes no cycle at load time. */
  readonly lazy: boolean;
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort();
const parsed = new Map(
  files.map((path) => [
    path,
    ts.createSourceFile(path, readFileSync(join(source, path), 'utf8'), ts.ScriptTarget.Latest, true),
  ]),
);
const imports = [...parsed].flatMap(([path, file]) => importsOf(path, file));
const values = imports.filter(({ typeOnly }) => !typeOnly);

function importsOf(from: string, file: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, lazy: boolean): void => {
    if (specifier !== undefined && ts.isStringLiteral(specifier)) {
      found.push({ from, typeOnly, lazy, ...target(from, specifier.text) });
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause), false);
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly, false);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false, true);
    }
    // `typeof import('x')` is a type.
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true, false);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** verbatimModuleSyntax keeps an import whose names are all `type` as a bare import: that one is a value import. */
function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  return clause !== undefined && clause.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function target(from: string, specifier: string): Pick<Import, 'to' | 'kind'> {
  if (specifier.startsWith('.')) return { to: normalize(join(dirname(from), specifier)), kind: 'relative' };
  if (specifier.startsWith('node:')) return { to: specifier, kind: 'node' };
  const parts = specifier.split('/');
  return { to: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'), kind: 'package' };
}

/** The folder below src, or the file's own name for main.ts and errors.ts. */
function ringOf(path: string): string {
  return path.split('/')[0] ?? path;
}

const mayImport: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['cli', 'errors.ts'],
  cli: ['cli', 'workflows', 'adapters', 'core', 'errors.ts'],
  workflows: ['workflows', 'adapters', 'core', 'errors.ts'],
  adapters: ['adapters', 'core', 'errors.ts'],
  core: ['core', 'errors.ts'],
  'errors.ts': [],
};

/** Each file's text without comments: words in a docstring break no rule. */
const codes = new Map(
  [...parsed].map(([path, file]) => [path, ts.createPrinter({ removeComments: true }).printFile(file)]),
);
const code = (path: string): string => codes.get(path) ?? '';

const text = ({ from, to }: Import): string => `${from} -> ${to}`;

describe('the architecture (src/README.md, rings)', () => {
  it('has only the known rings, and reads a real program', () => {
    expect(new Set(files.map(ringOf))).toEqual(new Set(Object.keys(mayImport)));
    expect(values.length).toBeGreaterThan(files.length);
  });

  it('imports only downward: main -> cli -> workflows -> {adapters, core}, adapters -> core', () => {
    const upward = imports.filter(
      ({ from, to, kind }) => kind === 'relative' && !mayImport[ringOf(from)]?.includes(ringOf(to)),
    );
    expect(upward.map(text)).toEqual([]);
  });

  it('lets the CLI act only through workflows: of the adapters it knows the table alone', () => {
    const direct = values.filter(({ from, to }) => ringOf(from) === 'cli' && ringOf(to) === 'adapters');
    expect(direct.filter(({ to }) => to !== 'adapters/table.ts').map(text)).toEqual([]);
  });

  it('imports files that exist, by their own extension', () => {
    const missing = imports.filter(({ to, kind }) => kind === 'relative' && !parsed.has(to));
    expect(missing.map(text)).toEqual([]);
  });

  it('has no cycle of value imports', () => {
    const next = new Map<string, string[]>();
    for (const { from, to, lazy, kind } of values) {
      if (kind === 'relative' && !lazy) next.set(from, [...(next.get(from) ?? []), to]);
    }
    expect(files.flatMap((file) => cycleFrom(file, next) ?? [])).toEqual([]);
  });

  it('keeps core pure: nothing of node, no library, no clock, no chance, no globals of the process', () => {
    const foreign = values.filter(
      ({ from, kind }) => ringOf(from) === 'core' && kind !== 'relative' && !from.endsWith('.schema.ts'),
    );
    expect(foreign.map(text)).toEqual([]);
    const impure = ['Date.now', 'new Date()', 'Math.random', 'process.', 'performance.now', 'fetch('];
    const uses = files
      .filter((file) => ringOf(file) === 'core')
      .flatMap((file) =>
        impure.filter((word) => code(file).includes(word)).map((word) => `${file}: ${word}`),
      );
    expect(uses).toEqual([]);
  });

  it('imports each library in one file, commander in cli/, typebox only in *.schema.ts', () => {
    const byLibrary = new Map<string, Set<string>>();
    for (const { from, to } of imports.filter((each) => each.kind === 'package')) {
      byLibrary.set(to, (byLibrary.get(to) ?? new Set()).add(from));
    }
    const importers = (library: string): string[] => [...(byLibrary.get(library) ?? [])].sort();
    const commander = importers('@commander-js/extra-typings');
    expect(commander.length).toBeGreaterThan(0);
    expect(commander.filter((file) => ringOf(file) !== 'cli')).toEqual([]);
    expect(importers('typebox').filter((file) => !file.endsWith('.schema.ts'))).toEqual([]);
    const single = [...byLibrary.keys()].filter(
      (library) => library !== '@commander-js/extra-typings' && library !== 'typebox',
    );
    expect(single).toContain('execa');
    for (const library of single) expect(importers(library), library).toHaveLength(1);
    expect(importers('execa')).toEqual(['adapters/exec.ts']);
    expect(importers('ajv')).toEqual(['adapters/validate.ts']);
    expect(importers('cli-table3')).toEqual(['adapters/table.ts']);
  });

  it('never loads a schema at run time', () => {
    const loaded = values.filter(({ from, to }) => to.endsWith('.schema.ts') && !from.endsWith('.schema.ts'));
    expect(loaded.map(text)).toEqual([]);
  });

  it('writes to stdout and stderr in cli/ and main.ts alone', () => {
    const words = ['process.stdout', 'process.stderr', 'console.'];
    const uses = files
      .filter((file) => ringOf(file) !== 'cli' && file !== 'main.ts')
      .flatMap((file) => words.filter((word) => code(file).includes(word)).map((word) => `${file}: ${word}`));
    expect(uses).toEqual([]);
  });

  it('exits and handles signals in main.ts alone', () => {
    const words = ['process.exit(', 'process.exitCode', 'process.on(', 'process.once(', 'process.abort'];
    const uses = files
      .filter((file) => file !== 'main.ts')
      .flatMap((file) => words.filter((word) => code(file).includes(word)).map((word) => `${file}: ${word}`));
    expect(uses).toEqual([]);
    expect(code('main.ts')).toContain('process.exit(');
  });

  it('starts processes in one adapter alone', () => {
    const direct = imports.filter(({ to }) => to === 'node:child_process' || to === 'execa');
    expect(new Set(direct.map(({ from }) => from))).toEqual(new Set(['adapters/exec.ts']));
  });

  it('has no folder or file for things without a place', () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/.test(file))).toEqual([]);
  });

  it('finds a broken rule: the parser sees every kind of import', () => {
    const sample = `
      import type { A } from './a.ts';
      import { b } from '../core/b.ts';
      export * from 'execa';
      const c = await import('node:fs');
      type D = typeof import('@commander-js/extra-typings');
      import { type E } from './e.ts';
    `;
    const file = ts.createSourceFile('x.ts', sample, ts.ScriptTarget.Latest, true);
    expect(importsOf('cli/x.ts', file)).toEqual([
      { from: 'cli/x.ts', to: 'cli/a.ts', kind: 'relative', typeOnly: true, lazy: false },
      { from: 'cli/x.ts', to: 'core/b.ts', kind: 'relative', typeOnly: false, lazy: false },
      { from: 'cli/x.ts', to: 'execa', kind: 'package', typeOnly: false, lazy: false },
      { from: 'cli/x.ts', to: 'node:fs', kind: 'node', typeOnly: false, lazy: true },
      { from: 'cli/x.ts', to: '@commander-js/extra-typings', kind: 'package', typeOnly: true, lazy: false },
      { from: 'cli/x.ts', to: 'cli/e.ts', kind: 'relative', typeOnly: false, lazy: false },
    ]);
    expect(cycleFrom('a', new Map([['a', ['b']], ['b', ['c']], ['c', ['a']]]))).toEqual(['a -> b -> c -> a']); // prettier-ignore
  });
});

/** @returns the cycle through `start`, if there is one. */
function cycleFrom(start: string, next: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const seen = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    for (const to of next.get(file) ?? []) {
      if (to === start) return [...path, to];
      if (seen.has(to)) continue;
      seen.add(to);
      const found = walk(to, [...path, to]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const found = walk(start, [start]);
  return found === undefined ? undefined : [found.join(' -> ')];
}
