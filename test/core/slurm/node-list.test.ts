import { describe, expect, it } from 'vitest';
import { parseNodeList } from '../../../src/core/slurm/node-list.ts';

describe('parseNodeList', () => {
  it.each([
    ['node1', ['node1']],
    ['node[1-3,7]', ['node1', 'node2', 'node3', 'node7']],
    ['a[08-10],login,b2', ['a08', 'a09', 'a10', 'login', 'b2']],
    ['r[1-2]n[01,03]-ib', ['r1n01-ib', 'r1n03-ib', 'r2n01-ib', 'r2n03-ib']],
    ['', []],
    ['(null)', []],
    ['None assigned', []],
  ])('%j', (text, names) => {
    expect(parseNodeList(text)).toEqual(names);
  });

  it.each(['node[1-', 'node[3-1]', 'node[]', 'a,,b', 'node[1-[2]]', 'node1]', 'node[a-b]', 'n[0-99999999]'])(
    '%j is none',
    (text) => {
      expect(parseNodeList(text)).toBeUndefined();
    },
  );
});
