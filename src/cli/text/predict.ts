import type { Column } from '../../adapters/table.ts';
import type { Prediction } from '../../core/model/predict.ts';
import type { Resource } from '../../core/model/step-parts.ts';
import type { PredictedCase, PredictReport } from '../../workflows/predict/predict.ts';
import { formatCount, formatDuration, formatNumber } from './format.ts';
import { skippedLines } from './plan-table.ts';
import { resultTable } from './result-table.ts';

const unknown = '-';

/** One case with all its parts, or a table of several; then what a reader must know. */
export function predictText(report: PredictReport): string {
  const { cases, skipped, notes } = report;
  const [only] = cases;
  const body = cases.length === 1 && only !== undefined ? caseText(only, report) : tableText(report);
  const below = [...skippedLines(skipped), ...notes.map((note) => `note: ${note}`)];
  return [...(cases.length === 0 ? [] : [body]), below.join('\n')].filter((text) => text !== '').join('\n\n');
}

const columns: readonly Column[] = [
  { title: 'size' },
  { title: 'mode' },
  { title: 'parameters', align: 'right' },
  { title: 'GPU GiB', align: 'right' },
  { title: 'host GiB', align: 'right' },
  { title: 'fits' },
  { title: 's/step', align: 'right' },
  { title: 'TFLOPS', align: 'right' },
  { title: 'bound by' },
];

function tableText({ cases, system }: PredictReport): string {
  const rows = cases.map(({ case: subject, parameters, prediction }) => {
    const { memory, time } = prediction;
    return [
      subject.model.name,
      subject.mode,
      formatCount(parameters),
      system.accelerator === 'cuda' ? memory.gpuGiB.toFixed(1) : unknown,
      memory.hostGiB.toFixed(1),
      fitWord(prediction),
      time === null ? unknown : formatNumber(time.stepMs / 1000),
      time === null ? unknown : formatNumber(time.tflops.modelTflops),
      time === null ? unknown : boundNames[time.bound],
    ];
  });
  const ways = cases.flatMap(({ case: { mode, model }, prediction, wouldFit }) =>
    prediction.fits || wouldFit.length === 0
      ? []
      : [`${mode} ${model.name} would fit with ${wouldFit.join(', or ')}`],
  );
  const below = ways.length === 0 ? '' : `\n\n${ways.join('\n')}`;
  return `${headline(cases[0], system.name)}\n\n${resultTable(columns, rows)}${below}`;
}

function headline(first: PredictedCase | undefined, system: string): string {
  if (first === undefined) return system;
  const { case: subject, prediction } = first;
  const { gpuGiB, hostGiB } = prediction.capacity;
  const has = [
    ...(gpuGiB === null ? [] : [`${gpuGiB.toFixed(1)} GiB of GPU memory a chip`]),
    ...(hostGiB === null ? [] : [`${hostGiB.toFixed(1)} GiB of host memory a node for it`]),
  ];
  return (
    `${system}, ${subject.chips} chip${subject.chips === 1 ? '' : 's'}: micro-batch ${subject.microBatch}, ` +
    `global batch ${subject.globalBatch}, sequence ${subject.sequenceLength}, ${subject.dtype}` +
    (subject.activationCheckpointing ? ', recomputation' : '') +
    (has.length === 0 ? '' : `; ${has.join(', ')}`)
  );
}

function fitWord({ fits, wall }: Prediction): string {
  if (fits) return 'yes';
  return wall === null ? 'no' : `no: ${wall}`;
}

const boundNames: Readonly<Record<Resource, string>> = {
  compute: 'matrix products',
  'gpu-memory': 'GPU memory',
  link: 'link to the host',
  'host-memory': 'host memory',
  adam: 'Adam on the CPU',
  network: 'network',
  launches: 'launches and Python',
};

function caseText(predicted: PredictedCase, { system }: PredictReport): string {
  const { case: subject, prediction, parameters } = predicted;
  const { memory, time } = prediction;
  const parts = memory.parts.filter(({ gib }) => gib >= 0.005);
  const sources = [...new Set([...parts, ...(time?.parts ?? [])].map(({ source }) => source))];
  const mark = (source: string): string => `[${sources.indexOf(source) + 1}]`;
  return [
    `${subject.mode} ${subject.model.name}, ${formatCount(parameters)} parameters`,
    headline(predicted, system.name),
    '',
    memoryTable(parts, mark),
    '',
    ...memoryLines(prediction, system.accelerator === 'cuda'),
    ...wayLines(predicted),
    ...timeLines(predicted, mark),
    '',
    ...sources.map((source) => `${mark(source)} ${source}`),
  ].join('\n');
}

type Mark = (source: string) => string;

function memoryTable(parts: Prediction['memory']['parts'], mark: Mark): string {
  return resultTable(
    [
      { title: 'memory of a chip' },
      { title: 'where' },
      { title: 'GiB', align: 'right' },
      { title: 'source' },
    ],
    parts.map(({ what, where, gib, source }) => [
      what,
      where === 'gpu' ? 'GPU' : 'host',
      gib.toFixed(2),
      mark(source),
    ]),
  );
}

function memoryLines({ memory, gpuReservedGiB, capacity, headroom, fits, wall }: Prediction, gpu: boolean) {
  const left = (gib: number | null): string =>
    gib === null ? '' : gib >= 0 ? `, ${gib.toFixed(1)} left` : `, ${(-gib).toFixed(1)} too much`;
  const of = (gib: number | null): string => (gib === null ? '' : ` of ${gib.toFixed(1)}`);
  return [
    ...(gpu
      ? [
          `GPU: ${memory.gpuGiB.toFixed(1)} GiB allocated, about ${gpuReservedGiB.toFixed(1)} reserved` +
            `${of(capacity.gpuGiB)}${left(headroom.gpuGiB)}`,
        ]
      : []),
    `host: ${memory.hostGiB.toFixed(1)} GiB${of(capacity.hostGiB)}${left(headroom.hostGiB)}`,
    wall === null
      ? 'capacity unknown'
      : `${fits ? 'fits; first wall' : 'does not fit; wall'}: ${wall} memory`,
  ];
}

/** Each alone is predicted to be enough. */
function wayLines({ prediction, wouldFit }: PredictedCase): string[] {
  if (prediction.fits) return [];
  if (wouldFit.length > 0)
    return ['would fit, by the same prediction, with one of:', ...wouldFit.map((words) => `  ${words}`)];
  return [
    'would not fit with a smaller micro-batch, recomputation, another mode, these together or up to 64 chips either: choose a smaller --model',
  ];
}

function timeLines(
  { prediction: { time }, mfu, runMs, case: { steps } }: PredictedCase,
  mark: Mark,
): string[] {
  if (time === null) return [];
  const parts = resultTable(
    [
      { title: 'part of a step' },
      { title: 'ms', align: 'right' },
      { title: 'limited by' },
      { title: 'source' },
    ],
    time.parts.map(({ what, ms, resource, source }) => [
      what,
      ms.toFixed(0),
      boundNames[resource],
      mark(source),
    ]),
  );
  const { modelTflops, hardwareTflops } = time.tflops;
  const recomputed =
    hardwareTflops === modelTflops ? '' : `, ${formatNumber(hardwareTflops)} with recomputation`;
  return [
    '',
    parts,
    '',
    `step: about ${formatNumber(time.stepMs / 1000)} s, bound by ${boundNames[time.bound]}`,
    `throughput: about ${formatNumber(modelTflops)} TFLOPS a chip${recomputed}` +
      (mfu === null ? '' : `, MFU ${(100 * mfu).toFixed(1)}%`),
    ...(runMs === null
      ? []
      : [`run of ${steps} steps: about ${formatDuration(runMs)}, with the start and the first step`]),
  ];
}
