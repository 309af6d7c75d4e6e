import { describe, expect, it } from 'vitest';
import { hostfileSchedule, parseHostfile } from '../../../src/core/launch/hostfile.ts';
import type { Host } from '../../../src/core/launch/schedule.ts';

describe('parseHostfile', () => {
  it("reads DeepSpeed's grammar, in whatever editor it was written", () => {
    const text =
      '\uFEFF# cluster\r\nnode1 slots=4\r\n\r\n \tnode2\t \tslots=2  # half\r\n  # more\nuser@10.0.0.3 slots=08';
    expect(parseHostfile(text, 'hosts')).toEqual({
      ok: true,
      hosts: [
        { name: 'node1', slots: 4 },
        { name: 'node2', slots: 2 },
        { name: 'user@10.0.0.3', slots: 8 },
      ],
    });
  });

  it('names every fault with its line', () => {
    const text = ['node1 slots=4', 'node2', 'node1 slots=2', 'node3 slots=0', 'node4 slots = 2', '-oProxyCommand=x slots=1', 'node5 slots=2 max=3'].join('\n'); // prettier-ignore
    const result = parseHostfile(text, 'my hosts');
    expect(result.ok ? [] : result.faults.map(({ place, problem }) => `${place} ${problem}`)).toEqual([
      'my hosts:2 is no line of a hostfile: "node2"',
      'my hosts:3 names node1 again, which line 1 has',
      'my hosts:4 gives node3 0 slots',
      'my hosts:5 is no line of a hostfile: "node4 slots = 2"',
      'my hosts:6 is no name of a host: "-oProxyCommand=x"',
      'my hosts:7 is no line of a hostfile: "node5 slots=2 max=3"',
    ]);
  });

  it.each(['', '# nothing\n\n', '\r\n\t\r\n'])('an empty file is one fault: %j', (text) => {
    expect(parseHostfile(text, 'hosts')).toMatchObject({ ok: false, faults: [{ problem: 'names no host' }] });
  });
});

describe('hostfileSchedule', () => {
  const hosts = (...slots: number[]): Host[] =>
    slots.map((each, index) => ({ name: `node${index + 1}`, slots: each }));

  it.each([
    [[4, 4], 1, 1, 1],
    [[4, 4], 3, 1, 3],
    [[2, 2], 4, 2, 2],
    [[2, 2, 2, 2, 2, 2, 2, 2], 16, 8, 2],
    [[8, 4, 4], 8, 1, 8],
    [[8, 4, 4], 12, 3, 4],
    [[1, 1, 1, 1], 4, 4, 1],
  ])('hosts with slots %j: %i chips are %i nodes of %i', (slots, chips, nodes, ranksPerNode) => {
    const result = hostfileSchedule(hosts(...slots), chips);
    expect(result).toMatchObject({
      ok: true,
      schedule: { layout: { nodes, ranksPerNode }, masterAddress: 'node1' },
    });
    expect(result.ok && result.schedule.hosts).toHaveLength(nodes);
  });

  it.each([
    [[2, 2], 5, "is more than the 4 slots of the hostfile's 2 hosts", '4 or fewer'],
    [[2], 3, "is more than the 2 slots of the hostfile's 1 host", '2 or fewer'],
    [[2, 2], 3, 'does not fill hosts evenly (slots: 2, 2)', '2 or 4'],
    [[4, 2], 6, 'does not fill hosts evenly (slots: 4, 2)', '4'],
  ])('hosts with slots %j: %i chips are refused', (slots, chips, problem, expected) => {
    expect(hostfileSchedule(hosts(...slots), chips)).toEqual({
      ok: false,
      faults: [{ place: `--chips ${chips}`, problem, expected }],
    });
  });
});
