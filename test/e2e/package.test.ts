import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { npmEnvironment, root, temporaryFolder } from './clone.ts';
import { expectNoStack, startProgram, type ProgramEnd } from './program.ts';

const folder = temporaryFolder();
let files: string[] = [];
let tarball = '';

const npm = (cwd: string, ...argv: string[]): Promise<ProgramEnd> =>
  startProgram('npm', argv, { cwd, env: npmEnvironment }).ended;

async function superoffload(...argv: string[]): Promise<string> {
  const end = await startProgram('npx', ['--no-install', 'superoffload', ...argv], {
    cwd: folder,
    env: npmEnvironment,
  }).ended;
  expectNoStack(end);
  expect(end.code, end.stderr).toBe(0);
  return end.stdout;
}

beforeAll(async () => {
  // Not `prepare`: it would build dist anew below the tests that run beside this one.
  const packed = await npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder);
  expect(packed.code, packed.stderr).toBe(0);
  const [result] = JSON.parse(packed.stdout) as { filename: string; files: { path: string }[] }[];
  files = result!.files.map(({ path }) => path).sort();
  tarball = join(folder, result!.filename);
}, 600_000);

describe('the package', () => {
  it('holds the compiled program: one file for each source, and no other', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `dist/${path.replace(/\.ts$/, '.js')}`);
    expect(files.filter((path) => path.startsWith('dist/'))).toEqual(sources.sort());
  });

  it('holds exactly these other files (test/golden/package-files.txt; UPDATE_GOLDEN=1 writes it)', () => {
    const golden = join(root, 'test', 'golden', 'package-files.txt');
    const listed = `${files.filter((path) => !path.startsWith('dist/')).join('\n')}\n`;
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, listed);
    expect(listed).toBe(readFileSync(golden, 'utf8'));
  });

  it('works where it is installed, in an empty folder', { timeout: 600_000 }, async () => {
    writeFileSync(join(folder, 'package.json'), '{"private": true}');
    const installed = await npm(folder, 'install', '--omit=dev', tarball);
    expect(installed.code, installed.stderr).toBe(0);
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect((await superoffload('--version')).trim()).toBe(manifest.version);
    expect(await superoffload('models')).toMatch(
      /^2B +2\.120B[^]*learned positions for 1024 tokens; a run has/m,
    );
    const config = await superoffload('config', '--chips', '4', '--model', '5B', '--mode', 'prism', '--system', 'h200'); // prettier-ignore
    expect(config).toContain('"super_offload": true');
    expect(config).toContain(
      join(folder, 'node_modules', 'superoffload', 'experiment', 'trainer', 'train.py'),
    );
    expect(await superoffload('throughput', '--dry-run')).toContain('zero_offload');
    expect(readdirSync(folder)).not.toContain('.superoffload');
  });
});
