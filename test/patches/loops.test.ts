import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPython } from '../trainer/cases.ts';

/** One line of check_loops.py. */
interface Result {
  readonly case: string;
  /** Weights that are not the same, and by how much. */
  readonly different: number;
  readonly off: number;
  readonly registered: boolean;
  readonly plain: boolean;
}

const program = join(import.meta.dirname, 'check_loops.py');
const overlay = 'deepspeed/runtime/superoffload/overlap/gradients.py';
const where = 'import importlib.util as u; print(u.find_spec("deepspeed").submodule_search_locations[0])';
const deepspeed = (await runPython(['-c', where])).stdout.trim();
const installed = join(deepspeed, '..', overlay);
const ours = join(import.meta.dirname, '../../patches/deepspeed/overlay', overlay);
const missing =
  existsSync(installed) && readFileSync(installed).equals(readFileSync(ours))
    ? null
    : 'the stack has not the patches of now: superoffload install';
const why = missing === null ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(`a training loop with the overlap optimizer may${why}`, () => {
  test(
    'drop gradients, decide when to step, fail, begin again: weights are as ZeRO-3 has them',
    { timeout: 300_000 },
    async () => {
      const end = await runPython([program]);
      expect(end.code, end.stderr.slice(-4000)).toBe(0);
      const lines = end.stdout.split('\n').filter((line) => line.startsWith('RESULT '));
      const results = lines.map((line) => JSON.parse(line.slice('RESULT '.length)) as Result);
      const same = results.filter(({ case: name }) => !['no bias correction', 'forked'].includes(name));
      expect(same.map(({ case: name, different }) => `${name}: ${String(different)}`)).toEqual([
        'gradients dropped: 0',
        'its own boundary: 0',
        'coalesced: 0',
        'a backward pass that failed: 0',
        'a universal checkpoint: 0',
      ]);
      // Steps on the accelerator round otherwise.
      const uncorrected = results.find(({ case: name }) => name === 'no bias correction');
      expect(uncorrected?.off).toBeLessThan(1e-5);
      expect(results.find(({ case: name }) => name === 'forked')).toMatchObject({
        registered: false,
        plain: true,
      });
    },
  );
});
