/** What a prediction costs, beside a copy of the case that it is made of: npx tsx bench/predict-speed.ts */
import { modeNames } from '../src/core/experiment/case.ts';
import { predictCase } from '../src/core/model/predict.ts';
import { sampleCase } from '../test/core/sample-case.ts';
import { machine, median } from './measure.ts';
import { candidates } from './predict-figure13.ts';
import { namedSystem } from './predict-measured.ts';

const count = 10_000;
const repeats = 7;
const h200 = namedSystem('h200');
const models = candidates();
const cases = Array.from({ length: count }, (_, index) => {
  const model = models[index % models.length] ?? sampleCase().model;
  return sampleCase({ mode: modeNames[index % modeNames.length] ?? 'prism', model, ratio: 0.9 });
});

/** Processor time of one pass over all cases, milliseconds. */
function processorMs(work: (subject: (typeof cases)[number]) => unknown): number {
  const start = process.cpuUsage();
  for (const subject of cases) work(subject);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

const passes = Array.from({ length: repeats }, () => ({
  copyMs: processorMs((subject) => structuredClone(subject)),
  predictMs: processorMs((subject) => predictCase(subject, h200)),
}));
const copyMs = median(passes.map((pass) => pass.copyMs));
const predictMs = median(passes.map((pass) => pass.predictMs));
console.log(`${machine()}, medians of ${repeats}, in turns`);
console.log(
  `${count} predictions  ${predictMs.toFixed(0)} ms  ${(predictMs / copyMs).toFixed(2)} x a copy of each case`,
);
