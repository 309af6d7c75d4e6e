import { settingWords } from '../src/core/experiment/setting-words.ts';
import { parameterCount } from '../src/core/model/shape.ts';
import { sessionRatio } from '../src/core/results/session-ratio.ts';
import { isMeasured } from '../src/core/results/summarize.ts';
import { aboveBound } from './overlap-bounds.ts';
import { baselineOf, comparedKey, type Row } from './overlap-rows.ts';
import type { Source } from './overlap-runs.ts';

/** What the optimizer was asked to reach on this machine (one H200 behind PCIe, sequence 1024, bf16, clipping 0). */
export interface Call {
  readonly source: Source;
  readonly rows: readonly Row[];
}

interface Target {
  readonly title: string;
  readonly asked: string;
  /** Rows that it is asked of. */
  readonly isOf: (row: Row) => boolean;
  /** @returns the number as text, and whether it is reached; null where it is not known of the row */
  readonly judge: (row: Row, call: Call) => { readonly text: string; readonly reached: boolean } | null;
}

const overlap = (size: string, batch: number, ratio: number | null) => {
  return ({ subject }: Row): boolean =>
    subject.mode === 'prism_overlap' &&
    subject.model.name === size &&
    subject.chips === 1 &&
    subject.sequenceLength === 1024 &&
    subject.globalBatch === batch &&
    subject.gradientClipping === 0 &&
    (ratio === null || subject.ratio === ratio) &&
    Object.keys(subject.deepspeedOverrides).length === 0;
};

const atMost = (seconds: number): Target['judge'] => {
  return ({ summary: { stepMs } }) =>
    stepMs === null ? null : { text: `${(stepMs / 1000).toFixed(3)} s`, reached: stepMs <= 1000 * seconds };
};

const tflops = (least: number): Target['judge'] => {
  return ({ summary: { throughput } }) => {
    const { modelTflopsPerGpu: rate } = throughput;
    return rate === null ? null : { text: `${rate.toFixed(1)} TFLOPS`, reached: rate >= least };
  };
};

const times = (least: number): Target['judge'] => {
  return (row, { rows }) => ratioText(row, baselineOf(row, rows), least);
};

const timesPublished: Target['judge'] = (row, { rows }) => {
  const published = rows.find(
    ({ subject }) =>
      subject.mode === 'prism' &&
      settingWords(subject) === '' &&
      comparedKey(subject) === comparedKey(row.subject),
  );
  return ratioText(row, published ?? null, 3.5);
};

function ratioText(row: Row, baseline: Row | null, least: number): ReturnType<Target['judge']> {
  const ratio = baseline === null ? null : (sessionRatio(baseline.launches, row.launches)?.ratio ?? null);
  return ratio === null ? null : { text: `${ratio.ratio.toFixed(2)} times`, reached: ratio.ratio >= least };
}

const trains = (least: number): Target['judge'] => {
  return ({ subject, summary: { stepMs } }) => {
    const parameters = parameterCount(subject.model, subject.sequenceLength);
    return stepMs === null
      ? null
      : { text: `${(parameters / 1e9).toFixed(3)}e9`, reached: parameters >= least };
  };
};

const withinOfBound = (most: number): Target['judge'] => {
  return (row, { source }) => {
    const above = aboveBound(row, source.limits);
    return above === null ? null : { text: `${(100 * above).toFixed(0)}% above it`, reached: above <= most };
  };
};

const recomputes = ({ subject }: Row): boolean =>
  subject.mode === 'prism_overlap' &&
  subject.activationCheckpointing &&
  subject.microBatch === 1 &&
  subject.sequenceLength === 1024;

const targets: readonly Target[] = [
  { title: '2B, ratio 1', asked: 'at most 0.75 s a step', isOf: overlap('2B', 8, 1), judge: atMost(0.75) },
  { title: '2B, ratio 1', asked: 'at most 0.65 s (goal)', isOf: overlap('2B', 8, 1), judge: atMost(0.65) },
  {
    title: '2B, ratio 1',
    asked: 'within 15% of the bound',
    isOf: overlap('2B', 8, 1),
    judge: withinOfBound(0.15),
  },
  { title: '2B, ratio 1', asked: '1.7 times zero_offload', isOf: overlap('2B', 8, 1), judge: times(1.7) },
  {
    title: '2B, ratio 1',
    asked: '3.5 times prism as published',
    isOf: overlap('2B', 8, 1),
    judge: timesPublished,
  },
  { title: '5B, ratio 1', asked: 'at most 1.75 s a step', isOf: overlap('5B', 8, 1), judge: atMost(1.75) },
  { title: '5B, ratio 1', asked: 'at most 1.5 s (goal)', isOf: overlap('5B', 8, 1), judge: atMost(1.5) },
  {
    title: '5B, ratio 1',
    asked: 'within 15% of the bound',
    isOf: overlap('5B', 8, 1),
    judge: withinOfBound(0.15),
  },
  { title: '5B, ratio 1', asked: '1.55 times zero_offload', isOf: overlap('5B', 8, 1), judge: times(1.55) },
  { title: '7B, batch 8', asked: 'at least 250 TFLOPS', isOf: overlap('7B', 8, null), judge: tflops(250) },
  { title: '7B, batch 64', asked: 'at least 320 TFLOPS', isOf: seven64, judge: tflops(320) },
  {
    title: 'size, recomputing',
    asked: 'at least 12.5e9 parameters',
    isOf: recomputes,
    judge: trains(12.5e9),
  },
  { title: 'size, recomputing', asked: '16e9 (goal)', isOf: recomputes, judge: trains(16e9) },
];

function seven64({ subject }: Row): boolean {
  const { mode, model, globalBatch, sequenceLength } = subject;
  return mode === 'prism_overlap' && model.name === '7B' && globalBatch === 64 && sequenceLength === 1024;
}

/**
 * A line for each target: of the call with most launches of its rows (the newest of those), the row that reaches it, where one
 * does; and what the rows of the other calls gave, oldest first.
 */
export function targetRows(calls: readonly Call[]): string[][] {
  return targets.map(({ title, asked, isOf, judge }) => {
    const judged = calls.flatMap((call) => {
      const found = call.rows.filter(isOf).flatMap((row) => {
        const judgement = judge(row, call);
        return judgement === null ? [] : [{ ...judgement, row, launches: measuredLaunches(row) }];
      });
      const best = found.find(({ reached }) => reached) ?? found.at(-1);
      return best === undefined ? [] : [best];
    });
    const most = Math.max(...judged.map(({ launches }) => launches));
    const chosen = judged.findLast(({ launches }) => launches === most);
    if (chosen === undefined) return [title, asked, 'not measured', '-', '-', '-'];
    const others = judged.filter((found) => found !== chosen).map(({ text }) => text);
    const count = chosen.launches === 1 ? 'one launch' : `${chosen.launches} launches`;
    const verdict = chosen.reached ? 'reached' : 'not reached';
    return [title, asked, chosen.text, `${chosen.row.source}, ${count}`, verdict, others.join('; ') || '-'];
  });
}

function measuredLaunches({ launches }: Row): number {
  return launches.filter(isMeasured).length;
}
