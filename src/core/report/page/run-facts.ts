import type { Case } from '../../experiment/case.ts';
import type { RunRecord } from '../../results/record.ts';
import { finite } from '../../text/finite.ts';
import { formatCount, formatNumber, formatTokens } from '../../text/format.ts';
import type { HtmlValue } from '../../text/html.ts';
import { shownLine } from '../../text/plain.ts';

type Facts = readonly (readonly [name: string, value: HtmlValue])[];

/** What was asked for, and what the log says ran; of both only what is not said elsewhere on the page. */
export function caseFacts(record: RunRecord, brief: boolean): Facts {
  const { case: subject, workload, experiment, worldSize, facts } = record;
  const more = Object.entries(facts).filter(([name]) => subject === null || !(brief || told.has(name)));
  return [
    ['experiment', experiment],
    ['workload', workload],
    ['chips', worldSize],
    ...(subject === null ? [] : [...modelFacts(subject, facts), ...settingFacts(subject, facts)]),
    ...more.map(
      ([name, value]) => [`${shownLine(name, 60)} (log)`, shownLine(String(value as unknown), 200)] as const,
    ),
  ];
}

/** Facts of the log that the page says in other words. */
const told = new Set(
  'parameters,attention,dtype,torch,deepspeed,world size,data,adam threads,cores'.split(','),
);

function modelFacts({ mode, model }: Case, facts: RunRecord['facts']): Facts {
  const parameters = finite(Number(facts['parameters']));
  const { name, layers, hidden, heads } = model;
  return [
    ['mode', mode],
    ['model', `${name}: ${layers} layers, hidden ${hidden}, ${heads} heads`],
    ['parameters', parameters === null ? null : formatCount(parameters)],
  ];
}

function settingFacts(subject: Case, facts: RunRecord['facts']): Facts {
  const { microBatch, gradientAccumulation, globalBatch, sequenceLength, sequenceParallel } = subject;
  const { activationCheckpointing, activationOffload, gradientClipping, dataPath } = subject;
  const tokens = formatTokens(sequenceLength);
  const kept = activationOffload ? 'yes, kept on the host' : 'yes';
  return [
    ['batch', `${microBatch} x ${gradientAccumulation} a rank, ${globalBatch} in all`],
    ['sequence', sequenceParallel > 1 ? `${tokens}, shared by ${sequenceParallel}` : tokens],
    ['dtype', subject.dtype],
    ['ratio on the CPU', subject.ratio],
    ['recomputation', activationCheckpointing ? kept : 'no'],
    ['attention', shownLine(facts['attention'] ?? subject.attention)],
    ['clipping', gradientClipping === 0 ? 'off' : gradientClipping],
    ['dropout', subject.dropout],
    ['seed', subject.seed],
    ['data', shownLine(dataPath ?? facts['data'] ?? '')],
  ];
}

export function memoryFacts({ memory }: RunRecord): Facts {
  return [
    ['GPU reserved', gib(memory.gpuReservedGiB)],
    ['host memory by', memory.hostGiB === null ? null : memory.hostSource],
    ['machine, rise', gib(memory.machineGiB)],
  ];
}

function gib(value: unknown): string | null {
  const known = finite(value);
  return known === null ? null : `${formatNumber(known)} GiB`;
}

export function conditionFacts({ conditions }: RunRecord): Facts {
  const { loadAverageBefore, loadAverageAfter, runningTasksBefore, cpuAdamThreads, gpu } = conditions;
  return [
    [
      'load average',
      loadAverageBefore === null ? null : `${loadAverageBefore} before, ${loadAverageAfter ?? '?'} after`,
    ],
    ['other tasks', runningTasksBefore],
    ['Adam threads', cpuAdamThreads],
    ['SM clock', gpu === null ? null : `${gpu.smClockMhz ?? '?'} of ${gpu.maxSmClockMhz ?? '?'} MHz`],
    ['power cap', gpu?.powerCapWatt === null || gpu === null ? null : `${gpu.powerCapWatt} W`],
    ['hottest', gpu?.maxTemperatureC === null || gpu === null ? null : `${gpu.maxTemperatureC} \u00b0C`],
    ['throttling', gpu === null ? null : gpu.throttleReasons.join(', ') || 'none seen'],
  ];
}
