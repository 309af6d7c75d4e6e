import { describe, expect, it } from 'vitest';
import { oomKillsOf, parseNodeReport } from '../../../src/core/launch/node-report.ts';

const start = (task: number) =>
  `{"event":"start","node":1,"task":${task},"host":"n1","utc":"2026-01-02T03:04:0${task}Z"}\n`;
const end = (task: number, exitCode: number, cgroup: number | null, machine: number | null) =>
  `{"event":"end","node":1,"task":${task},"host":"n1","utc":"2026-01-02T03:05:0${task}Z","exitCode":${exitCode},"oomKills":{"cgroup":${cgroup},"machine":${machine}}}\n`;

describe('parseNodeReport', () => {
  it('of a node that never said anything knows nothing', () => {
    const nothing = { host: null, startedUtc: null, endedUtc: null, exitCode: null, oomKills: null };
    expect(parseNodeReport('')).toEqual(nothing);
    expect(parseNodeReport('{"event":"end"}\nnull\n[1]\n"x"\n{"event":"sta')).toEqual(nothing);
  });

  it('of one that started and was killed knows no end', () => {
    expect(parseNodeReport(start(0))).toMatchObject({ host: 'n1', endedUtc: null, exitCode: null });
  });

  it('is the first failure of several tasks, whatever the others did', () => {
    const text = start(0) + start(1) + end(1, 9, 2, 5) + end(0, 1, 1, 5);
    expect(parseNodeReport(text)).toEqual({
      host: 'n1',
      startedUtc: '2026-01-02T03:04:00Z',
      endedUtc: '2026-01-02T03:05:00Z',
      exitCode: 9,
      oomKills: 2,
    });
    expect(parseNodeReport(start(0) + start(1) + end(1, 0, 0, 0))).toMatchObject({
      endedUtc: null,
      exitCode: null,
    });
  });

  it('counts the machine only where the cgroup does not', () => {
    expect(parseNodeReport(start(0) + end(0, 137, null, 3)).oomKills).toBe(3);
    expect(parseNodeReport(start(0) + end(0, 137, 0, 3)).oomKills).toBe(0);
    expect(parseNodeReport(start(0) + end(0, 137, null, null)).oomKills).toBeNull();
  });
});

describe('oomKillsOf', () => {
  const kills = (...each: (number | null)[]) =>
    oomKillsOf(each.map((oomKills) => ({ ...parseNodeReport(''), oomKills })));

  it('adds the nodes up, and is unknown only where nobody counted', () => {
    expect(kills(1, null, 2)).toBe(3);
    expect(kills(0, 0)).toBe(0);
    expect(kills(null, null)).toBeNull();
    expect(kills()).toBeNull();
  });
});
