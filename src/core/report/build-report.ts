import { figureSystems, type FigureSystem } from '../figures/figure-system.ts';
import type { FoundRecord } from '../results/record-set.ts';
import type { RunRecord } from '../results/record.ts';
import { runEndOf, type RunEnd } from '../results/run-end.ts';
import { redactText } from '../results/redact.ts';
import { bestRatios } from './best-ratios.ts';
import { finite } from '../text/finite.ts';
import { groupBy } from '../collections/group-by.ts';
import { limitRows } from './limits.ts';
import { shownLine } from '../text/plain.ts';
import type { ReportData, RunRow, SystemSummary } from './report-data.ts';

interface ReportInputs {
  readonly records: readonly FoundRecord[];
  readonly tool: string;
  readonly createdUtc: string;
  readonly sources: readonly string[];
  readonly notes: readonly string[];
  /** @returns the address of a run's folder from the report's; null where it cannot be reached. */
  readonly addressOf: (folder: string) => string | null;
}

/** Records as the rows, sums and ratios of a report. */
export function buildReport(inputs: ReportInputs): ReportData {
  const { records, tool, createdUtc, sources, notes, addressOf } = inputs;
  const machines = figureSystems(records.map(({ record }) => record));
  const names = new Map(
    machines.flatMap(({ name, records: own }) => own.map((record) => [record, name] as const)),
  );
  const runs = records.map(({ record, folder }) =>
    rowOf(
      withoutSecrets(record),
      names.get(record) ?? record.system.name,
      folder === null ? null : addressOf(folder),
    ),
  );
  return {
    ...{ tool, createdUtc, sources, notes },
    runs: runs.toReversed(),
    systems: systemSummaries(runs, machines),
    outcomes: countOutcomes(runs),
    ratios: bestRatios(runs),
    limits: limitRows(runs),
  };
}

/** A report is sent on: what a log printed, or a command says, is shown without what looks like a secret in it. */
function withoutSecrets(record: RunRecord): RunRecord {
  const { title, outcome, warnings, facts } = record;
  const orNull = (text: string | null): string | null => (text === null ? null : redactText(text));
  return {
    ...record,
    title: redactText(title),
    outcome: { ...outcome, reason: redactText(outcome.reason), evidence: orNull(outcome.evidence) },
    warnings: warnings.map(redactText),
    facts: Object.fromEntries(
      Object.entries(facts).map(([name, value]) => [name, redactText(String(value as unknown))]),
    ),
  };
}

/** A name that is longer is none, and would be as wide as the page. */
const nameChars = 60;

function rowOf(record: RunRecord, system: string, folder: string | null): RunRow {
  const { case: subject, statistics, throughput, memory, outcome } = record;
  const interval = statistics?.interval ?? null;
  return {
    ...{ runId: record.runId, record, folder, system },
    experiment: shownLine(record.experiment, nameChars),
    mode: shownLine(subject?.mode ?? 'command', nameChars),
    model: shownLine(subject?.model.name ?? record.title, nameChars),
    chips: record.worldSize,
    batch: subject === null ? null : `${subject.microBatch} x ${subject.gradientAccumulation}`,
    sequenceLength: subject?.sequenceLength ?? null,
    stepMs: finite(statistics?.medianMs),
    lowMs: finite(interval?.lowMs),
    highMs: finite(interval?.highMs),
    confidence: finite(interval?.confidence),
    tflopsPerGpu: finite(throughput.modelTflopsPerGpu) ?? finite(throughput.loggedTflopsPerGpu),
    mfu: finite(throughput.mfu),
    tokensPerSecond: finite(throughput.tokensPerSecond),
    gpuGiB: finite(memory.gpuAllocatedGiB),
    hostGiB: finite(memory.hostGiB),
    lastLoss: finite(record.lastLoss),
    outcome: runEndOf(record),
    proof: outcome.evidence ?? outcome.reason,
  };
}

function systemSummaries(runs: readonly RunRow[], machines: readonly FigureSystem[]): SystemSummary[] {
  return [...groupBy(runs, ({ system }) => system)].map(([name, rows]) => {
    const times = rows.map(({ record }) => record.startedUtc).sort();
    const software = rows.flatMap(({ record: { stack } }) =>
      stack === null ? [] : [`torch ${stack.torch}, DeepSpeed ${stack.deepspeed}`],
    );
    const machine = machines.find((each) => each.name === name);
    return {
      name,
      hardware: machine === undefined ? name : hardwareOf(machine, rows),
      functional: rows.every(({ record }) => record.functional),
      runs: rows.length,
      firstUtc: times[0] ?? '',
      lastUtc: times.at(-1) ?? '',
      software: [...new Set(software)],
      outcomes: countOutcomes(rows),
    };
  });
}

function hardwareOf({ title, system: { link, cores } }: FigureSystem, rows: readonly RunRow[]): string {
  const links = { c2c: 'C2C', pcie: 'PCIe', none: null } as const;
  const chips = Math.max(...rows.map((row) => row.chips));
  return [
    title,
    links[link],
    title.includes('core') ? null : `${cores} cores`,
    `runs on up to ${chips} chip${chips === 1 ? '' : 's'}`,
  ]
    .filter((part) => part !== null)
    .join(', ');
}

/** The commonest first; those of one count by their name. */
function countOutcomes(rows: readonly RunRow[]): (readonly [RunEnd, number])[] {
  const counts = [...groupBy(rows, ({ outcome }) => outcome)].map(
    ([name, group]) => [name, group.length] as const,
  );
  return counts.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
