import { expect, it } from 'vitest';
import { namedSystem } from '../../../../bench/predict-measured.ts';
import { machineOf } from '../scene-inputs.ts';
import { built, placeNamed, runsOf } from './ablation-sample.ts';

const group = /overlap.*one setting changed/;
const allOn = placeNamed('all on', group);

it('predicts with all of the host where the runs had their node to themselves', () => {
  const predicted = (exclusiveHost: boolean): number => {
    const placement = { binding: 'none', hostNumaNodes: null, exclusiveHost, hostGiB: null, machine: null };
    const records = runsOf([[allOn, 500, { change: { placement } as never }]]);
    const { rows } = built(records, { system: machineOf(records, namedSystem('deltaai')) });
    return rows.find((row) => row.title === 'all on' && group.test(row.group))?.predicted ?? 0;
  };
  expect(predicted(false)).toBeGreaterThan(0);
  expect(predicted(true)).toBeGreaterThan(1.2 * predicted(false));
});
