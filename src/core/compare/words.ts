import { formatNumber } from '../text/format.ts';
import { describeDifference } from '../results/fairness.ts';
import type { ComparedCase, Comparison, Differences } from './comparison.ts';
import type { MetricRatio } from './metric-ratio.ts';

/** What a metric is called in a table, and how its value is shown there. */
const shown: Readonly<Record<MetricRatio['metric'], { readonly title: string; readonly scale: number }>> = {
  stepMs: { title: 's/step', scale: 1e-3 },
  modelTflopsPerGpu: { title: 'TFLOPS', scale: 1 },
  tokensPerSecond: { title: 'tokens/s', scale: 1 },
  mfu: { title: 'MFU, %', scale: 100 },
  peakGpuGiB: { title: 'GPU GiB', scale: 1 },
  peakHostGiB: { title: 'host GiB', scale: 1 },
  modelSize: { title: 'size', scale: 1 },
};

export const metricColumns = ['metric', 'A', 'B', 'B/A', '95% interval', 'B is', 'from'] as const;

/** The cells of a metric under {@link metricColumns}. */
export function metricCells(row: MetricRatio): string[] {
  const { title, scale } = shown[row.metric];
  const value = (number: number | null): string => (number === null ? '-' : formatNumber(number * scale));
  return [
    title,
    value(row.a),
    value(row.b),
    ratioText(row.ratio),
    intervalText(row),
    verdictText(row),
    basisText(row),
  ];
}

function ratioText(ratio: number | null): string {
  if (ratio === null) return '-';
  return ratio >= 0.01 && ratio < 1000 ? ratio.toFixed(3) : ratio.toPrecision(3);
}

function intervalText({ low, high, basis, confident }: MetricRatio): string {
  if (low === null || high === null || basis === 'count') return '-';
  return `${ratioText(low)} to ${ratioText(high)}${confident ? '' : '~'}`;
}

function verdictText({ verdict, ratio, basis, metric, confident }: MetricRatio): string {
  if (verdict === 'unclear') return basis === 'count' ? 'the same' : 'unclear';
  if (verdict === 'unknown' || ratio === null) return '-';
  const isMemory = metric === 'peakGpuGiB' || metric === 'peakHostGiB';
  const [better, worse] = isMemory ? ['less', 'more'] : ['faster', 'slower'];
  return `${verdict === 'better' ? better : worse}${confident ? '' : '~'}`;
}

function basisText({ basis, launches: [a, b] }: MetricRatio): string {
  if (basis === 'pairs') return `${a} pairs`;
  if (basis === 'launches') return `${a}+${b} runs`;
  return { steps: '1+1 run', count: 'counted', values: `${a}+${b}` }[basis];
}

const basisNotes: Readonly<Record<MetricRatio['basis'], string>> = {
  pairs: 'pairs: launches run in turns, each held against its neighbour',
  launches: 'runs: launches not in turns; drift between sessions is not in the interval',
  steps: '1+1 run: from the steps of one run each; a second launch may differ by more',
  count: "counted: the allocator's bytes, the same in every launch",
  values: 'no interval (-): one launch of each; use --repeat 3 or more',
};

/** Notes under the table, for what is in it. */
export function tableNotes({ cases }: Comparison): string[] {
  const rows = cases.flatMap(({ metrics }) => metrics).filter(({ ratio }) => ratio !== null);
  const bases = new Set(rows.map(({ basis }) => basis));
  const unclear = rows.some(({ verdict, basis }) => verdict === 'unclear' && basis !== 'count');
  return [
    ...(unclear ? ['unclear: the interval holds 1'] : []),
    ...(rows.some(({ confident }) => !confident)
      ? ['~ less than 95% sure: too few steps; use more --steps']
      : []),
    ...(Object.keys(basisNotes) as MetricRatio['basis'][])
      .filter((basis) => bases.has(basis))
      .map((basis) => basisNotes[basis]),
  ];
}

/** Lines about one side. */
export function sideLine(
  letter: string,
  { name, runs, cases, systems, firstUtc, lastUtc }: Comparison['a'],
): string {
  const time = (utc: string): string => utc.slice(0, 16).replace('T', ' ');
  const [from, to] = [time(firstUtc), time(lastUtc)];
  const when = from === to ? from : `${from} to ${to.startsWith(from.slice(0, 10)) ? to.slice(11) : to}`;
  return `${letter}  ${name}: ${count(runs, 'run')} of ${count(cases, 'case')} on ${systems.join('; ')}, ${when} UTC`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** Differences in lines, each group under its title; none where there is none. */
export function differenceLines({
  unfair,
  other,
  config,
  unknown,
}: Differences): { title: string; lines: string[] }[] {
  return [
    { title: 'not fair, these differ', lines: unfair.map(describeDifference) },
    { title: 'also not the same', lines: other.map(describeDifference) },
    { title: 'DeepSpeed JSON', lines: config.map(({ name, a, b }) => `${name}: ${a} against ${b}`) },
    { title: 'not known of one or both', lines: unknown.length === 0 ? [] : [unknown.join(', ')] },
  ].filter(({ lines }) => lines.length > 0);
}

/** What must be known of a case beside its numbers, in lines. */
export function caseLines({ compared, mixed, failed, systemA, systemB }: ComparedCase): string[] {
  return [
    ...(systemA === systemB ? [] : [`A on ${systemA}`, `B on ${systemB}`]),
    ...(compared.length === 0 ? [] : [`compared: ${compared.map(describeDifference).join('; ')}`]),
    ...mixed,
    ...failed,
  ];
}

const shownValues = 8;
/** A model or a whole section of a JSON is no part of a line. */
const maxValueChars = 40;

/** Why cases of both sides that do the same work were not held against each other, and how to choose. */
export function ambiguousLines(ambiguous: Comparison['ambiguous']): string[] {
  return ambiguous.flatMap(({ title, pairedBy, caseIdsA, caseIdsB, differ, choose }) => [
    `${title}: A has ${caseIdsA.length}, B has ${caseIdsB.length} of ${pairedBy}`,
    ...differ.map(({ name, a, b }) => `  ${name}: A ${valuesText(a)}; B ${valuesText(b)}`),
    choose === '' ? '  choose a source with one of them' : `  to choose one of each, for example: ${choose}`,
  ]);
}

function valuesText(values: readonly string[]): string {
  const shown = values
    .slice(0, shownValues)
    .map((value) => (value.length > maxValueChars ? `${value.slice(0, maxValueChars)}...` : value));
  return [...shown, ...(values.length > shownValues ? [`${values.length - shownValues} more`] : [])].join(
    ', ',
  );
}

/** Above {@link ambiguousLines}. */
export const ambiguousTitle = 'not paired, several cases fit';
