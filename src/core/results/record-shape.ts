import { workloadNames } from '../experiment/case.ts';
import { outcomeClasses } from '../logs/events.ts';
import { isRunId } from './run-files.ts';

type Kind = 'string' | 'number' | 'boolean' | 'object' | 'list';

/** What every record of this schema has had from the first, and of what kind it is; `?` may be null. */
const parts: readonly (readonly [name: string, kind: Kind, nullable: '' | '?'])[] = [
  ['schemaVersion', 'number', ''],
  ['runId', 'string', ''],
  ['outcome', 'object', ''],
  ['throughput', 'object', ''],
  ['exit', 'object', ''],
  ['system', 'object', ''],
  ['experiment', 'string', ''],
  ['caseId', 'string', ''],
  ['title', 'string', ''],
  ['workload', 'string', ''],
  ['case', 'object', '?'],
  ['functional', 'boolean', ''],
  ['stack', 'object', '?'],
  ['worldSize', 'number', ''],
  ['startedUtc', 'string', ''],
  ['endedUtc', 'string', '?'],
  ['durationMs', 'number', '?'],
  ['lastIteration', 'number', '?'],
  ['statistics', 'object', '?'],
  ['stepMs', 'list', ''],
  ['memory', 'object', ''],
  ['firstLoss', 'number', '?'],
  ['lastLoss', 'number', '?'],
  ['skippedIterations', 'number', ''],
  ['facts', 'object', ''],
  ['conditions', 'object', ''],
  ['warnings', 'list', ''],
  ['recovered', 'boolean', ''],
];

const caseNumbers = [
  'chips',
  'microBatch',
  'globalBatch',
  'gradientAccumulation',
  'sequenceLength',
  'gradientClipping',
  'dropout',
  'steps',
  'seed',
] as const;
const modelNumbers = ['layers', 'hidden', 'heads', 'paddedVocabulary'] as const;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Looks over a value that a file says is a record: whoever computes with it must not meet `undefined`, a text where a
 * number should be, or Infinity (a JSON number may be 1e999).
 * @returns what is wrong with it, for a person; null where it can be used.
 */
export function recordFault(value: unknown): string | null {
  if (!isFields(value)) return 'not a record of a run: it is no JSON object';
  const missing = parts.filter(([name]) => value[name] === undefined).map(([name]) => name);
  if (missing.length > 0) return `not a file that superoffload wrote: it has no ${missing.join(', ')}`;
  const wrong = parts.find(([name, kind, nullable]) => !isKind(value[name], kind, nullable === '?'));
  if (wrong !== undefined) return `damaged: ${wrong[0]} is no ${wrong[1]}`;
  return wordFault(value) ?? numberFault(value) ?? caseFault(value['case'] as Fields | null);
}

/** What is compared with a list of words, or becomes part of a path or a link. */
function wordFault(record: Fields): string | null {
  const { runId, workload, startedUtc, outcome } = record as Readonly<Record<string, string>>;
  if (!isRunId(runId ?? '')) return 'damaged: runId is no id of a run';
  if (Number.isNaN(Date.parse(startedUtc ?? ''))) return 'damaged: startedUtc is no time';
  if (!(workloadNames as readonly unknown[]).includes(workload))
    return `damaged: workload is none that is known`;
  if (!isEnvironment(record['environment'])) return 'damaged: environment has no names with values';
  const ended = (outcome as unknown as Fields)['class'];
  return (outcomeClasses as readonly unknown[]).includes(ended)
    ? null
    : 'damaged: outcome.class is none that is known';
}

/** Absent in older records. */
function isEnvironment(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isFields(value) || typeof value['hash'] !== 'string' || !isFields(value['variables'])) return false;
  return Object.values(value['variables']).every((each) => typeof each === 'string');
}

function numberFault(record: Fields): string | null {
  const steps = record['stepMs'] as readonly unknown[];
  const at = steps.findIndex((ms) => typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0);
  if (at !== -1) return `damaged: stepMs[${at}] is no time`;
  for (const part of ['statistics', 'throughput', 'memory'] as const) {
    for (const [name, value] of Object.entries(record[part] ?? {})) {
      if (typeof value === 'number' && !Number.isFinite(value))
        return `damaged: ${part}.${name} is not finite`;
    }
  }
  const statistics = record['statistics'] as Fields | null;
  if (statistics !== null && !isKind(statistics['medianMs'], 'number', false)) {
    return 'damaged: statistics.medianMs is no number';
  }
  return null;
}

function caseFault(subject: Fields | null): string | null {
  if (subject === null) return null;
  const { model } = subject;
  if (!isFields(model)) return 'damaged: case.model is no object';
  if (typeof model['name'] !== 'string') return 'damaged: case.model.name is no string';
  if (typeof subject['mode'] !== 'string') return 'damaged: case.mode is no string';
  const wrong =
    caseNumbers.find((name) => !isKind(subject[name], 'number', false)) ??
    modelNumbers.find((name) => !isKind(model[name], 'number', false));
  return wrong === undefined ? null : `damaged: ${wrong} of its case is no number`;
}

function isKind(value: unknown, kind: Kind, nullable: boolean): boolean {
  if (value === null) return nullable;
  if (kind === 'list') return Array.isArray(value);
  if (kind === 'object') return isFields(value);
  return typeof value === kind && (kind !== 'number' || Number.isFinite(value));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
