import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { markerHolds } from '../../../src/core/install/markers.ts';
import { versionOrder } from '../../../src/core/stack/version.ts';
import { choosePackages } from '../../../src/core/install/package-choice.ts';
import {
  missingPackages,
  parseRequirements,
  renderRequirements,
} from '../../../src/core/install/requirements.ts';

const file = readFileSync(new URL('../../../experiment/stacks/pip.txt', import.meta.url), 'utf8');
const linux = (pythonVersion: string, machine = 'x86_64') => ({
  pythonVersion,
  sysPlatform: 'linux',
  machine,
});

describe('markerHolds', () => {
  it.each([
    ["python_full_version < '3.11'", '3.10.13', true],
    ["python_full_version < '3.11'", '3.11.0', false],
    ["python_full_version == '3.11.*'", '3.11.7', true],
    ["python_full_version == '3.1.*'", '3.11.7', false],
    ["python_version >= '3.9' and sys_platform == 'linux'", '3.10.0', true],
    ["sys_platform == 'win32' or platform_machine == 'aarch64'", '3.12.0', false],
    [
      "(platform_machine == 'aarch64' or platform_machine == 'x86_64') and sys_platform == 'linux'",
      '3.12.0',
      true,
    ],
    ["sys_platform == 'win32' and python_version >= '3.9' or sys_platform == 'linux'", '3.12.0', true],
  ])('%s on %s: %s', (marker, version, holds) => {
    expect(markerHolds(marker, linux(version))).toBe(holds);
  });

  it('refuses what it does not understand instead of guessing', () => {
    expect(() => markerHolds("implementation_name == 'cpython'", linux('3.12.0'))).toThrow(/not understood/);
    expect(() => markerHolds("sys_platform == 'linux' nor", linux('3.12.0'))).toThrow(/not understood/);
  });

  it('orders versions by their numbers', () => {
    expect(versionOrder('3.10', '3.9')).toBeGreaterThan(0);
    expect(versionOrder('2.11.0+cu130', '2.11')).toBe(0);
    expect(versionOrder('0.17.9', '0.18')).toBeLessThan(0);
  });
});

describe('the packed requirements', () => {
  it('name no registry, and give every file a hash', () => {
    expect(file).not.toMatch(/https?:/);
    for (const python of ['3.10.13', '3.11.7', '3.12.3', '3.13.0']) {
      const found = parseRequirements(file, linux(python));
      expect(found.filter(({ hashes }) => hashes.length === 0)).toEqual([]);
      expect(new Set(found.map(({ name }) => name)).size).toBe(found.length);
      expect(found.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['torch', 'deepspeed', 'ninja', 'hjson']),
      );
    }
  });

  it('give Python 3.10 the torch that still knows it', () => {
    const torch = (python: string) =>
      parseRequirements(file, linux(python)).find(({ name }) => name === 'torch')?.version;
    expect(torch('3.11.7')).toBe('2.15.0');
    expect(versionOrder(torch('3.10.13') ?? '0', '2.15')).toBeLessThan(0);
  });

  it('leave Windows packages out', () => {
    expect(parseRequirements(file, linux('3.12.0')).map(({ name }) => name)).not.toContain('colorama');
  });
});

describe('choosePackages', () => {
  const resolved = parseRequirements(file, linux('3.12.3'));
  const none = { torch: null, deepspeed: null };
  // What a machine with torch, but made for something else, typically has.
  const site = {
    torch: { version: '2.11.0+cu130', cuda: '13.0' },
    packages: {
      torch: '2.11.0+cu130',
      numpy: '2.4.0',
      ninja: '1.13.0',
      psutil: '7.0.0',
      msgpack: '1.1.0',
      einops: '0.8.1',
      'py-cpuinfo': '9.0.0',
      tqdm: '4.67',
      packaging: '25.0',
      setuptools: '80.0',
      typing_extensions: '4.15',
    },
  };

  it('adds only what is missing over given packages, with what that needs, and never a second torch', () => {
    const names = choosePackages('overlay', resolved, none, site).packages.map(({ name }) => name);
    expect(names).toEqual([
      'annotated-types',
      'deepspeed',
      'hjson',
      'pydantic',
      'pydantic-core',
      'typing-inspection',
    ]);
  });

  it('counts a DeepSpeed that is too old, or another than asked for, as missing', () => {
    const names = (version: string, deepspeed: string | null) =>
      choosePackages(
        'overlay',
        resolved,
        { torch: null, deepspeed },
        {
          ...site,
          packages: { ...site.packages, deepspeed: version },
        },
      )
        .packages.filter(({ name }) => name === 'deepspeed')
        .map((entry) => entry.version);
    expect(names('0.16.9', null)).toEqual(['0.19.8']);
    expect(names('0.18.3', null)).toEqual([]);
    expect(names('0.18.3', '0.18.9')).toEqual(['0.18.9']);
  });

  it('misses nothing where everything is there, whatever way the names are spelt', () => {
    const all = Object.fromEntries(
      resolved.map(({ name, version }) => [name.replaceAll('-', '_').toUpperCase(), version]),
    );
    expect(missingPackages(resolved, all)).toEqual([]);
  });

  it('drops the resolution and its hashes when the user asks for another torch', () => {
    const choice = choosePackages('private', resolved, { torch: '2.12.0', deepspeed: null }, site);
    expect(choice).toMatchObject({ isComplete: false, isFileAsItIs: false });
    expect(renderRequirements(choice.packages, false)).toMatch(/^torch==2\.12\.0$/m);
    expect(choosePackages('private', resolved, { torch: '2.15.0', deepspeed: null }, site).isFileAsItIs).toBe(
      true,
    );
  });
});
