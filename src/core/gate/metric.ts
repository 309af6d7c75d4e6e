import type { RunRecord } from '../results/record.ts';

/** What a gate can hold: names as in a record, and `modelSize`, which a search finds. */
export const metricNames = [
  'modelTflopsPerGpu',
  'tokensPerSecond',
  'mfu',
  'stepMs',
  'peakGpuGiB',
  'peakHostGiB',
  'modelSize',
] as const;
export type MetricName = (typeof metricNames)[number];

/** Without `--metric`: speed, both memories, and the largest size. */
export const defaultMetrics: readonly MetricName[] = [
  'modelTflopsPerGpu',
  'peakGpuGiB',
  'peakHostGiB',
  'modelSize',
];

export interface Metric {
  readonly name: MetricName;
  readonly unit: string;
  /** The direction that is a regression. */
  readonly worse: 'down' | 'up';
  /**
   * `measured`: differs from launch to launch. `counted`: PyTorch's allocator gives out the same bytes in every launch
   * of one case (28.93 GiB three times of three at 2B, bench/README.md), so that one launch says it. `searched`: of
   * many cases together.
   */
  readonly kind: 'measured' | 'counted' | 'searched';
  /** null where the run does not say. */
  readonly valueOf: (record: RunRecord) => number | null;
}

export const metrics: Readonly<Record<MetricName, Metric>> = {
  modelTflopsPerGpu: {
    name: 'modelTflopsPerGpu',
    unit: 'TFLOPS',
    worse: 'down',
    kind: 'measured',
    // A command's log may claim its own, and there is no other.
    valueOf: ({ throughput }) => throughput.modelTflopsPerGpu ?? throughput.loggedTflopsPerGpu,
  },
  tokensPerSecond: {
    name: 'tokensPerSecond',
    unit: 'tokens/s',
    worse: 'down',
    kind: 'measured',
    valueOf: ({ throughput }) => throughput.tokensPerSecond,
  },
  mfu: {
    name: 'mfu',
    unit: 'share',
    worse: 'down',
    kind: 'measured',
    valueOf: ({ throughput }) => throughput.mfu,
  },
  stepMs: {
    name: 'stepMs',
    unit: 'ms',
    worse: 'up',
    kind: 'measured',
    valueOf: ({ statistics }) => statistics?.medianMs ?? null,
  },
  peakGpuGiB: {
    name: 'peakGpuGiB',
    unit: 'GiB',
    worse: 'up',
    kind: 'counted',
    valueOf: ({ memory }) => memory.gpuAllocatedGiB,
  },
  peakHostGiB: {
    name: 'peakHostGiB',
    unit: 'GiB',
    worse: 'up',
    kind: 'measured',
    valueOf: ({ memory }) => memory.hostGiB,
  },
  modelSize: {
    name: 'modelSize',
    unit: 'billion parameters',
    worse: 'down',
    kind: 'searched',
    valueOf: () => null,
  },
};

/** Whether the steps of one run say how sure the metric is. */
export function isTimed(metric: Metric): boolean {
  return metric.kind === 'measured' && metric.name !== 'peakHostGiB';
}

/** @returns the metric of a name; `tflopsPerGpu` is the model's. null where there is none. */
export function metricNamed(name: string): MetricName | null {
  const full = name === 'tflopsPerGpu' ? 'modelTflopsPerGpu' : name;
  return metricNames.find((known) => known === full) ?? null;
}

/** How far the first may be worse than the second, as a share: what a reference is made with, and `--threshold`. */
export const defaultThreshold = 0.05;

/** The relative bounds of a reference that may be worse by `share`, and is stale once better by as much. */
export function boundsOf(metric: Metric, share: number): { readonly lower: number; readonly upper: number } {
  // Symmetric as factors: a half and a double are equally far.
  return metric.worse === 'down'
    ? { lower: -share, upper: share / (1 - share) }
    : { lower: -share / (1 + share), upper: share };
}
