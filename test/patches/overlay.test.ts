import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPython } from '../trainer/cases.ts';
import { megatronCommit, patches, upstreamSource } from './sources.ts';

const overlay = join(patches, 'megatron', 'overlay');

async function check(program: string, ...argv: string[]): Promise<Record<string, number | boolean>> {
  const end = await runPython([join(import.meta.dirname, program), ...argv]);
  expect(end.code, end.stderr).toBe(0);
  const line = end.stdout.trimEnd().split('\n').at(-1) ?? '';
  return JSON.parse(line.replace('RESULT ', '')) as Record<string, number | boolean>;
}

/** Every number under its tolerance, everything else true. */
function expectAll(results: Record<string, number | boolean>, tolerance: (name: string) => number): void {
  for (const [name, value] of Object.entries(results)) {
    if (typeof value === 'boolean') expect(value, name).toBe(true);
    else expect(value, name).toBeLessThan(tolerance(name));
  }
}

test('the Apex overlay does what double precision says', { timeout: 600_000 }, async () => {
  const results = await check('check_overlay.py', overlay);
  expect(Object.keys(results)).toHaveLength(29);
  // Half a unit in the last place of the largest values (about 8): 2^-8 and 2^-11 of them.
  expectAll(results, (name) => (name.endsWith('bf16') ? 0.04 : name.endsWith('fp16') ? 0.005 : 2e-5));
});

test('flash attention by scaled_dot_product_attention does too', { timeout: 600_000 }, async () => {
  const results = await check('check_attention.py', join(overlay, 'megatron/superoffload/attention.py'));
  expect(Object.keys(results)).toHaveLength(15);
  expectAll(results, () => 2e-5);
});

describe('the data indices in NumPy', () => {
  const helpers = join(overlay, 'megatron/data/helpers.py');

  test('are those of the definition', { timeout: 600_000 }, async () => {
    const results = await check('check_helpers.py', helpers);
    expect(results).toMatchObject({ cases: 50, different: 0 });
    expect(results['samples']).toBeGreaterThan(1000);
  });

  const source = upstreamSource('megatron');
  const compiler = ['/usr/bin/c++', '/usr/local/bin/c++'].some((path) => existsSync(path));
  const missing = 'path' in source ? (compiler ? null : 'no c++') : source.missing;
  test.skipIf(missing !== null)(
    `are those of helpers.cpp${missing === null ? '' : ` (skipped: ${missing})`}`,
    { timeout: 600_000 },
    async () => {
      if (!('path' in source)) return;
      const folder = mkdtempSync(join(tmpdir(), 'helpers-'));
      try {
        const cpp = join(folder, 'helpers.cpp');
        writeFileSync(
          cpp,
          execFileSync('git', ['-C', source.path, 'show', `${megatronCommit}:megatron/data/helpers.cpp`]),
        );
        const torch = await runPython([
          '-c',
          'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])',
        ]);
        const headers = join(torch.stdout.trim(), 'include'); // PyTorch brings pybind11's headers.
        const results = await check('check_helpers.py', helpers, cpp, headers);
        expect(results).toMatchObject({ cases: 50, different: 0 });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
