import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { runPython } from '../trainer/cases.ts';
import { patches } from './sources.ts';

const builder = 'deepspeed/ops/op_builder/builder.py';

function isTrue(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

/** The installed builder, as published and patched, asked about the same lists. */
test(
  "DeepSpeed's op builder understands 9.0a, 10.0a and 12.0a once it is patched",
  { timeout: 600_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'arch-list-'));
    try {
      const find =
        'import importlib.util as u; print(u.find_spec("deepspeed").submodule_search_locations[0])';
      const { stdout: installed } = await runPython(['-c', find]);
      for (const copy of ['published', 'patched']) {
        mkdirSync(dirname(join(folder, copy, builder)), { recursive: true });
        cpSync(join(installed.trim(), '..', builder), join(folder, copy, builder));
      }
      const series = join(patches, 'deepspeed');
      const patch = readdirSync(series).filter((name) => /^000[12]-/.test(name));
      const apply = (copy: string, ...flags: string[]): void => {
        const paths = patch.map((file) => join(series, file));
        const cwd = join(folder, copy);
        execFileSync('git', ['apply', '--unidiff-zero', ...flags, ...paths], { cwd, stdio: 'pipe' });
      };
      // A stack of ours has patched it already, an adopted one has not.
      const isPatched = isTrue(() => {
        apply('patched', '--check', '--reverse');
      });
      if (isPatched) apply('published', '--reverse');
      else apply('patched');

      const program = join(import.meta.dirname, 'check_arch_list.py');
      const copies = ['published', 'patched'].map((copy) => join(folder, copy, builder));
      const end = await runPython([program, ...copies, '9.0;10.0a;12.0a', '8.6 8.0;8.6+PTX', '12.0a 9.0']);
      expect(end.code, end.stderr).toBe(0);
      const result = end.stdout.split('RESULT ').at(-1) ?? '';
      const [published = [], patched = []] = JSON.parse(result) as unknown[][];

      const error = { error: "invalid literal for int() with base 10: '0a'" };
      expect(published).toEqual([error, published[1], error]);
      const sm = (arch: string): string => `-gencode=arch=compute_${arch},code=sm_${arch}`;
      expect(patched).toEqual([
        { jit: '9.0;10.0a;12.0a+PTX', ahead: ['90', '100a', '120a'].map(sm) },
        published[1],
        { jit: '9.0;12.0a+PTX', ahead: ['90', '120a'].map(sm) },
      ]);
      expect(patched[1]).toMatchObject({ jit: '8.0;8.6+PTX' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
