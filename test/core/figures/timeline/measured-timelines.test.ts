import { describe, expect, it } from 'vitest';
import { buildTimeline } from '../../../../src/core/figures/timeline/build-timeline.ts';
import { pictureRuns } from '../../../../src/core/figures/timeline/choose-runs.ts';
import { readLimits } from '../../../../src/core/figures/timeline/rates.ts';
import type { Lane, LaneKey, TimelineData } from '../../../../src/core/figures/timeline/timeline-data.ts';
import { summaryLines } from '../../../../src/core/figures/render/timeline/timeline-text.ts';
import { measuredRuns } from './sample-timeline.ts';

const archive = measuredRuns();
const limits = () => readLimits(archive.json('limits.json'));
const build = (...names: Parameters<typeof archive.run>[0][]): TimelineData => {
  const [picture] = pictureRuns(names.map(archive.run), true);
  return buildTimeline({ ...picture!, limits: limits(), tool: '0.1.0' });
};
const laneOf = (data: TimelineData, row: number, key: LaneKey): Lane =>
  data.rows[row]!.lanes.find((lane) => lane.key === key)!;

/** docs/performance.md, "Where the time goes". */
describe('the timelines of one step of 2B on an H200', () => {
  it('give the rows of the table in docs/performance.md', () => {
    const data = build('publishedNotes', 'zeroOffloadNotes', 'overlapNotes');
    expect(data.rows.map(({ title }) => title)).toEqual([
      'SuperOffload (PRISM), ratio 0.9',
      'ZeRO-Offload',
      'SuperOffload (overlap), ratio 1',
    ]);
    expect(data).toMatchObject({
      title: 'One optimizer step of 2B',
      conditions: ['1 chip', 'batch 8', 'sequence 1024', 'bf16'],
      system: { name: '1x-nvidia-h200', title: '1 x NVIDIA H200' },
      functional: false,
    });
    const lines = Object.fromEntries(summaryLines(data).map(({ title, cells }) => [title, cells]));
    expect(lines).toMatchObject({
      'whole step, ms': ['2851', '1326', '563'],
      'forward, on the host, ms': ['146', '18.8', '26.8'],
      'backward, on the host, ms': ['1197', '536', '185'],
      'step, on the host, ms': ['1504', '766', '347'],
      'GPU computes, ms': ['245 (9%)', '254 (19%)', '210 (37%)'],
      'copies to the host, ms': [
        '78.1 (54.3 GB/s) + 618 (13.7 GB/s) pageable',
        '156 (54.5 GB/s)',
        '78.6 (53.9 GB/s)',
      ],
      'bytes to the host, GB': ['4.24 + 8.48 pageable', '8.48', '4.24'],
      'copies to the GPU, ms': [
        '79.2 (53.5 GB/s) + 508 (8.35 GB/s) pageable',
        '76.5 (55.4 GB/s)',
        '98.4 (43.1 GB/s)',
      ],
      'CPU Adam, ms': [
        '579 (20%), from 511 to 1729',
        '507 (38%), from 578 to 1250',
        '472 (84%), from 87.4 to 562',
      ],
      'Adam waits for gradients, ms': ['631 (22%)', '–', '87.7 (16%)'],
      'after the last Adam until the weights are back, ms': ['1172', '241', '–'],
      'none of these, ms': ['1077 (38%)', '332 (25%)', '5.78 (1%)'],
    });
    const [prism, zeroOffload] = data.rows.map(({ partMs }) => partMs);
    expect([prism!.queue, prism!.workerCopy, prism!.parameterReturn].map((ms) => ms?.toFixed(0))).toEqual([
      '654',
      '286',
      '952',
    ]);
    expect([zeroOffload!.queue, zeroOffload!.workerCopy]).toEqual([null, null]);
  });

  it('are bound by the rates of their own machine, or by those of its profile', () => {
    const lines = (data: TimelineData) =>
      Object.fromEntries(summaryLines(data).map(({ title, cells }) => [title, cells]));
    const measured = build('zeroOffload', 'overlap');
    expect(lines(measured)).toMatchObject({
      'busiest resource alone, ms': ['413 (host memory)', '413 (host memory)'],
      'bound of the step, ms': ['494', '494'],
    });
    expect(measured.footnotes.join(' ')).toContain('with 16 threads; products by the profile of the system.');
    const runs = ['publishedNotes', 'zeroOffloadNotes', 'overlapNotes'] as const;
    const [picture] = pictureRuns(runs.map(archive.run), true);
    const byProfile = buildTimeline({ ...picture!, limits: null, tool: '0.1.0' });
    expect(lines(byProfile)).toMatchObject({
      'bound of the step, ms': ['476', '523', '523'],
      'above the bound': ['499%', '153%', '7.5%'],
    });
  });

  it('wait for the weights no longer than after the last subgroup, however many there are', () => {
    // 178 subgroups, the longest 2.7% of Adam; 166, few of them above 1%.
    const [five, fifteen] = build('overlap5B', 'overlap15B').rows.map((row) => row.afterAdamMs);
    expect([five, fifteen].map((ms) => ms?.toFixed(1))).toEqual(['5.7', '1.9']);
  });

  it('as published, nothing at all goes on for two fifths of the step; with overlap for a thirtieth', () => {
    const data = build('published', 'overlap');
    expect(laneOf(data, 0, 'idle').share).toBeGreaterThan(0.4);
    expect(laneOf(data, 1, 'idle').share).toBeLessThan(0.03);
    expect(data.rows[1]!.lanes.map(({ key }) => key)).toContain('waits');
    expect(data.rows[0]!.lanes.map(({ key }) => key)).not.toContain('waits');
  });

  it('no lane has more to draw than the picture has pixels, and none is empty', () => {
    for (const { lanes } of build('published', 'zeroOffload', 'overlap').rows)
      for (const { parts } of lanes) {
        expect(parts.length).toBeGreaterThan(0);
        expect(parts.length).toBeLessThan(120);
      }
  });
});

describe('bounds', () => {
  it('without measured limits are of the profile, and say what they lack', () => {
    const [picture] = pictureRuns([archive.run('overlap')], true);
    const data = buildTimeline({ ...picture!, limits: null, tool: '0.1.0' });
    // 0.225 ns for 2.12e9 parameters, and a third of 112.3 TFLOP at 805 TFLOPS.
    expect(data.rows[0]!.bounds?.hostMs).toBeCloseTo(476.9, 1);
    expect(data.rows[0]!.bounds?.dependentMs).toBeCloseTo(476.9 + 46.5, 1);
    expect(data.footnotes.join(' ')).toMatch(/by the profile of the system\. .*not measured at once/);
  });

  it('of a machine that nobody measured are none, and the notes say which rates are missing', () => {
    const [picture] = pictureRuns([archive.run('published')], true);
    const data = buildTimeline({ ...picture!, limits: null, tool: '0.1.0' });
    expect(data.rows[0]!.bounds).toBeNull();
    expect(data.footnotes.join(' ')).toMatch(
      /No limits: nobody measured matrix products, CPU Adam, the link/,
    );
  });

  it('that were beaten are of another machine, and the notes say so', () => {
    const slow = { adam: [{ threads: 1, adamNs: 2, besideCopiesNs: 2, linkBesideGBps: 9 }], linkGBps: 9 };
    const [picture] = pictureRuns([archive.run('overlap')], true);
    const data = buildTimeline({ ...picture!, limits: slow, tool: '0.1.0' });
    expect(data.footnotes.join(' ')).toMatch(/shorter than its bound/);
  });

  it('are the least of the numbers of threads that were measured, and shared by the ranks of a node', () => {
    const run = archive.run('overlap');
    const demand = { ...run.demand!, ranksPerNode: 2 };
    const [picture] = pictureRuns([{ ...run, demand }, run], true);
    const [two, one] = buildTimeline({ ...picture!, limits: limits(), tool: '0.1.0' }).rows;
    expect(two!.bounds!.hostMs).toBeCloseTo(2 * one!.bounds!.hostMs, 6);
    const least = { ...limits()!, adam: limits()!.adam.slice(-1) };
    const [alone] = buildTimeline({ ...picture!, limits: least, tool: '0.1.0' }).rows.slice(1);
    expect(alone!.bounds).toEqual(one!.bounds);
  });

  it.each([
    {},
    null,
    'x',
    { adam: [], 'link GB/s': { down: 1, up: 1 } },
    { adam: [{ threads: 8 }], 'link GB/s': { down: 1, up: 1 } },
  ])('of %j are nothing that bench/overlap_limits.py wrote', (value) => {
    expect(readLimits(value)).toBeNull();
  });
});

describe('which runs stand in a picture', () => {
  it('named one by one: all, in that order; what differs is told in their titles', () => {
    const data = build('overlap5B', 'overlap');
    expect(data).toMatchObject({ title: 'One optimizer step', size: null });
    expect(data.rows.map(({ title }) => title)).toEqual([
      'SuperOffload (overlap), ratio 1, 5B',
      'SuperOffload (overlap), ratio 1, 2B',
    ]);
  });

  it('else a picture for each case, of each mode the newest', () => {
    const [older, newer] = [archive.run('overlap'), { ...archive.run('overlap'), runId: 'newer' }];
    const pictures = pictureRuns([older, newer, archive.run('zeroOffload'), archive.run('overlap5B')], false);
    expect(pictures.map(({ runs }) => runs.map(({ mode, subject }) => `${mode} ${subject.size}`))).toEqual([
      ['zero_offload 2B', 'prism_overlap 2B'],
      ['prism_overlap 5B'],
    ]);
    expect(pictures[0]!.runs[1]!.runId).toBe('newer');
  });

  it('a setting of its own is a row of its own, and in its title', () => {
    const plain = archive.run('overlap15B');
    const title = 'SuperOffload (overlap), ratio 0.52, superoffload.speculation=0';
    const [picture] = pictureRuns([plain, { ...plain, settings: '' }], false);
    const { rows } = buildTimeline({ ...picture!, limits: null, tool: '0.1.0' });
    expect(rows.map((row) => row.title).sort()).toEqual(['SuperOffload (overlap), ratio 0.52', title]);
  });

  it('never of two machines in one', () => {
    const run = archive.run('overlap');
    const other = { ...run, machine: { ...run.machine, name: 'other', device: 'other 4' } };
    expect(pictureRuns([run, other], true)).toHaveLength(2);
  });
});
