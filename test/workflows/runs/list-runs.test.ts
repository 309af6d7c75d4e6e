import { describe, expect, it } from 'vitest';
import { listRuns, type WantedRuns } from '../../../src/workflows/runs/list-runs.ts';
import { tagRuns } from '../../../src/workflows/records/tags.ts';
import { sampleHome } from '../records/sample-home.ts';

const { context, store } = sampleHome();
const offload = store();
const prism = store({ case: { mode: 'prism', ratio: 0.9 } });
const failed = store({
  case: { mode: 'prism', ratio: 0.5 },
  record: { outcome: { ...offload.outcome, class: 'gpu_oom' } },
});
await tagRuns(context, 'pair', [failed.runId, offload.runId], { dryRun: false });

const ids = async (wanted: WantedRuns): Promise<string[]> =>
  (await listRuns(context, wanted)).map(({ runId }) => runId);

describe('runs list', () => {
  it.each<[string, WantedRuns, readonly { readonly runId: string }[]]>([
    ['everything', {}, [offload, prism, failed]],
    ['a case', { filters: ['mode=superoffload'] }, [prism, failed]],
    ['a state', { states: ['gpu_oom', 'host_oom'] }, [failed]],
    ['a case in a state', { filters: ['mode=prism,zero-offload'], states: ['ok'] }, [offload, prism]],
    ['a tag, oldest first', { sources: ['pair'] }, [offload, failed]],
    ['some of a tag', { sources: ['pair'], filters: ['mode=prism'] }, [failed]],
    ['a state that no run is in', { states: ['host_oom'] }, []],
  ])('lists %s', async (_, wanted, expected) => {
    expect(await ids(wanted)).toEqual(expected.map(({ runId }) => runId));
  });

  it('names every word that no run can meet', async () => {
    await expect(ids({ filters: ['mood=prism'], states: ['gpu_om', 'ok'] })).rejects.toThrow(
      /--case mood=prism: there is no key[^]*--state gpu_om: no run can have it \(expected gpu_oom\)/,
    );
    await expect(ids({ filters: ['mode=ddp'] })).rejects.toThrow(/--case mode=ddp: no case has it/);
    await expect(ids({ sources: ['nowhere'] })).rejects.toThrow(/"nowhere"/);
  });
});
