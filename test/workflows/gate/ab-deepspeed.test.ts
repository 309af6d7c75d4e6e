import { beforeAll, describe, expect, it } from 'vitest';
import type { GateReport } from '../../../src/core/gate/report.ts';
import { gatePlace, linkStacks } from './gate-place.ts';

/**
 * The real DeepSpeed on a CPU rank, in turns: the same configuration twice must pass, one that is slowed must fail. A
 * run takes 8 to 15 s, and of so few the noise is large: what is asked is coarse, a loss of more than a half. The slow
 * side is slow as a site or a commit can make it: attention without its fused kernel, and oneDNN and ATen held to
 * instructions of 2007 by their own documented variables. Nothing else
 * runs beside these two (vitest.config.ts), which have a core each.
 */
const place = gatePlace();
/** One thread: two wait for each other, and a neighbour on one core makes both thirty times slower. */
const sdpa = 'attention=sdpa,env.OMP_NUM_THREADS=1';
const slowed =
  'attention=unfused,env.OMP_NUM_THREADS=1,env.ONEDNN_MAX_CPU_ISA=SSE41,env.ATEN_CPU_CAPABILITY=default';
const flags = [
  ...['--mode', 'zero_offload', '--model', 'tiny', '--launcher', 'python', '--steps', '8'],
  ...['--sequence-length', '1024', '--micro-batch', '1', '--global-batch', '1'],
  ...[
    '--threshold',
    '50%',
    '--precision',
    '200%',
    '--budget',
    '4',
    '--metric',
    'modelTflopsPerGpu',
    '--json',
  ],
];
beforeAll(() => {
  linkStacks(place);
});

describe.concurrent('gate --ab on the real engine', { timeout: 600_000 }, () => {
  it('passes the same configuration', async () => {
    const end = await place.run(['--ab', sdpa, `${sdpa},env.SIDE=head`, '--min-pairs', '3', ...flags]);
    expect(end.code, `${end.stdout}${end.stderr}`).toBe(0);
    expect(JSON.parse(end.stdout)).toMatchObject({ verdict: 'pass', rows: [{ status: 'pass' }] });
  });

  it('fails one that is slowed, with 5 and how much', async () => {
    const end = await place.run(['--ab', sdpa, slowed, '--min-pairs', '2', ...flags]);
    expect(end.code, `${end.stdout}${end.stderr}`).toBe(5);
    const report = JSON.parse(end.stdout) as GateReport;
    expect(report.rows).toMatchObject([{ status: 'regression', basis: 'between launches' }]);
    expect(report.rows[0]!.ratio!).toBeLessThan(0.5);
    expect(report.notes.join()).toContain('attention');
  });
});
