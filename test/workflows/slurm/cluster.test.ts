import { afterAll, describe } from 'vitest';
import { startSlurm, type SlurmCluster } from '../../clusters/slurm.ts';
import { allocationCases } from './cases-allocation.ts';
import { arrayCases } from './cases-array.ts';
import { campaignCases } from './cases-campaign.ts';
import { deepspeedCases } from './cases-deepspeed.ts';
import { endCases, limitCases } from './cases-ends.ts';
import { memoryCases } from './cases-memory.ts';
import { outageCases } from './cases-outage.ts';
import { queueCases } from './cases-queue.ts';
import { removeHomes } from './slurm-runs.ts';
import { toolCases } from './cases-tools.ts';

// One file, since one cluster serves all: what waits for Slurm waits at the same time.
const started = await startSlurm();
const missing = typeof started === 'string' ? started : null;
const cluster = started as SlurmCluster;

afterAll(() => {
  if (missing === null) cluster.stop();
  removeHomes();
});

describe.skipIf(missing !== null)(`a real Slurm${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  describe.concurrent('runs side by side', () => {
    limitCases(() => cluster);
    campaignCases(() => cluster);
    deepspeedCases(() => cluster);
    endCases(() => cluster);
    queueCases(() => cluster);
    arrayCases(() => cluster);
    allocationCases(() => cluster);
    toolCases(() => cluster);
    memoryCases(() => cluster);
  });
  describe('one after another', () => {
    outageCases(() => cluster);
  });
});
