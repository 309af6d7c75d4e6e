import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runPython } from '../trainer/cases.ts';

describe('bench/overlap_limits.py', () => {
  it('prints what it measured and nothing else: CPU Adam, and the link where there is a GPU', async () => {
    const program = join(import.meta.dirname, '../../bench/overlap_limits.py');
    const { code, stdout, stderr } = await runPython([
      ...[program, '--elements', '33554432', '--threads', '1,2', '--repeat', '1'],
    ]);
    expect(code, stderr).toBe(0);
    const found = JSON.parse(stdout) as { adam: readonly Readonly<Record<string, number>>[] };
    expect(found.adam.map(({ threads }) => threads)).toEqual([1, 2]);
    for (const row of found.adam) {
      for (const way of ['in gradient, ns', 'copy, ns', 'rotating, ns']) expect(row[way]).toBeGreaterThan(0);
    }
  });
});
