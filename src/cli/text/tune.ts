import type { Column } from '../../adapters/table.ts';
import { patchesText } from '../../workflows/tune/tune.ts';
import type { TunePlan } from '../../workflows/tune/plan-tune.ts';
import type { ChoiceReport, SizeReport, TrialReport } from '../../workflows/tune/report.ts';
import { formatNumber } from './format.ts';
import { intervalCell, intervalNotes } from './interval.ts';
import { resultTable } from './result-table.ts';
import { budgetText, functionalText } from './tune-dry-run.ts';

const columns: readonly Column[] = [
  { title: '' },
  { title: 'size' },
  { title: 'mode' },
  { title: 'settings', cut: true },
  { title: 's/step', align: 'right' },
  { title: '95% interval', align: 'right' },
  { title: 'TFLOPS', align: 'right' },
  { title: 'GPU GiB', align: 'right' },
  { title: 'host GiB', align: 'right' },
  { title: 'ratio', align: 'right' },
  { title: 'result' },
];

/** What came of a tuning: trials, choice, why, and how it is used. */
export function tuneText(plan: TunePlan, sizes: readonly SizeReport[]): string {
  const onCpu = plan.planning.system.accelerator === 'cpu';
  const title = onCpu ? functionalText : plan.planning.system.title;
  return [title, ...sizes.map(sizeText), budgetText(plan)].join('\n\n');
}

function sizeText(size: SizeReport): string {
  const { name, trials, choice, why } = size;
  return [
    name,
    ...(trials.length === 0 ? [] : [resultTable(columns, trials.map(rowOf)), ...notesOf(trials)]),
    ...(choice === null ? [`no choice: ${why}`] : [chosenLine(choice, why)]),
    ...reasonLines(size),
    ...(choice === null ? [] : useLines(choice)),
  ].join('\n');
}

function rowOf(trial: TrialReport): string[] {
  const { mode, model, settings, result, interval, ratio, takesMoreGpu, isStored } = trial;
  const isMeasured = result.kind === 'measured';
  const number = (value: number | null): string => (value === null ? '-' : formatNumber(value));
  const measured = isMeasured
    ? [
        number(result.medianStepMs / 1000),
        intervalCell(interval),
        number(result.tflopsPerGpu),
        number(result.gpuGiB),
        number(result.hostGiB),
        ratio === null ? '-' : `${ratio.toFixed(2)}${takesMoreGpu ? '!' : ''}`,
      ]
    : ['-', '-', '-', '-', '-', '-'];
  return [trial.isChoice ? '>' : '', model, mode, settings, ...measured, resultCell(trial, isStored)];
}

function resultCell({ result, text }: TrialReport, isStored: boolean): string {
  const word = wordOf(result, text);
  return isStored ? `${word} (earlier run)` : word;
}

function wordOf(result: TrialReport['result'], text: string): string {
  switch (result.kind) {
    case 'measured':
      return result.isWhole ? 'ok' : 'stopped early';
    case 'memory':
      return text;
    case 'failed':
      return 'failed';
    case 'unfinished':
      return 'not finished';
  }
}

function notesOf(trials: readonly TrialReport[]): string[] {
  const measured = trials.filter(({ result }) => result.kind === 'measured');
  const failed = trials.filter(({ result }) => result.kind === 'failed');
  return [
    ...intervalNotes(measured.map(({ interval }) => interval)),
    ...(measured.some(({ ratio }) => ratio !== null)
      ? [
          'ratio: speed against the fastest published configuration (prism, zero_offload, zero_infinity) that ran',
        ]
      : []),
    ...(trials.some(({ takesMoreGpu }) => takesMoreGpu)
      ? ['! takes over 10% more GPU memory than that one']
      : []),
    ...failed.map(
      ({ mode, text, runId }) => `failed: ${mode}: ${text}\n    log: superoffload runs logs ${runId}`,
    ),
  ];
}

function chosenLine({ mode, model, settings, why, isPredicted }: ChoiceReport, ended: string): string {
  const what = `chosen: ${mode} ${model}, ${settings}`;
  return isPredicted
    ? `${what}: by prediction alone, nothing was measured: ${why.join('; ')}`
    : `${what} (the search ended: ${ended})`;
}

/** Of the choice, and then of every other mode. */
function reasonLines({ lines, verdicts, choice }: SizeReport): string[] {
  const others = verdicts.filter(({ mode }) => mode !== choice?.mode);
  return [...lines, ...others.map(({ mode, text }) => `${mode}: ${text}`)].map((line) => `  ${line}`);
}

function useLines({ files, command, needsPatches }: ChoiceReport): string[] {
  return [
    `written: ${files.config} (DeepSpeed reads it as it is), ${files.note}`,
    ...(needsPatches ? [`  ${patchesText}`] : []),
    `run it: ${command}`,
  ];
}
