import { describe, expect, it } from 'vitest';
import { leftBehindWarnings } from '../../../src/core/results/left-behind.ts';

const utc = '2026-01-02T03:04:05.678Z';

describe('leftBehindWarnings', () => {
  it('says what is where, a line a host', () => {
    expect(
      leftBehindWarnings([
        { type: 'exited', utc, exitCode: 0, signal: null },
        { type: 'left-behind', utc, pids: [12, 13] },
        { type: 'left-behind', utc, pids: [], host: 'b', port: 29500, gpuPids: [7] },
        { type: 'left-behind', utc, pids: [], host: 'c', problem: 'ssh: no route to host' },
      ]),
    ).toEqual([
      'left behind: processes 12, 13 of the run',
      'left behind on b: processes 7 on its GPUs, somebody listening on its port 29500',
      'nobody could look at what was left on c: ssh: no route to host',
    ]);
  });
});
