import { createHash } from 'node:crypto';
import { dirname, relative, resolve, sep } from 'node:path';
import {
  reportMarker,
  reportPlace,
  tidyReport,
  writeReportFolder,
  type WriteFile,
} from '../../adapters/report-folder.ts';
import { figureSystems } from '../../core/figures/figure-system.ts';
import { buildReport } from '../../core/report/build-report.ts';
import { pathAddress } from '../../core/text/html.ts';
import { indexPage } from '../../core/report/page/index-page.ts';
import { sharedFiles } from '../../core/report/page/layout.ts';
import { runPage } from '../../core/report/page/run-page.ts';
import { pageScript } from '../../core/report/page/script.ts';
import { pageStyle } from '../../core/report/page/style.ts';
import { pageName } from '../../core/report/page-name.ts';
import { fullRuns } from '../../core/report/run-details.ts';
import { runsCsv } from '../../core/report/report-csv.ts';
import type { ReportData } from '../../core/report/report-data.ts';
import { reportMarkdown } from '../../core/report/report-markdown.ts';
import type { FoundRecord, RecordSet } from '../../core/results/record-set.ts';
import { SuperOffloadError } from '../../errors.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { readArchivedTexts } from '../archive/archived-texts.ts';
import { utcNow, type Context } from '../context.ts';
import { requireOut } from '../require-out.ts';
import { readRecords } from '../records/read-records.ts';
import { leftBehind } from '../leftovers.ts';
import { asTask, type Task } from '../task.ts';
import { toolIdentity } from '../tool-identity.ts';
import { reportFormats, type ReportFormat } from './formats.ts';
import { drawFigures } from './draw-figures.ts';
import { createDetailReader } from './run-details.ts';

export interface ReportRequest {
  readonly from: readonly string[];
  /** As the user gave it. */
  readonly out: string;
  readonly formats: readonly ReportFormat[];
  /** Only runs of this system; null takes all. */
  readonly system: string | null;
  /** Says what would be written, and writes nothing. */
  readonly dryRun: boolean;
}

export interface ReportResult {
  readonly schemaVersion: 1;
  /** Absolute. */
  readonly folder: string;
  /** What to open first. */
  readonly open: string;
  readonly runs: number;
  readonly files: number;
  /** null of a dry run. */
  readonly bytes: number | null;
  /** An earlier report is, or would be, replaced. */
  readonly replaces: boolean;
  readonly notes: readonly string[];
}

/**
 * Writes what stored runs say as pages, Markdown and CSV.
 * @throws SuperOffloadError 'usage' for a source or a system that is none, or a folder that holds something else;
 * 'environment' where there is no run to report, or nothing can be written there.
 */
export async function writeReport(context: Context, request: ReportRequest): Promise<ReportResult> {
  const out = resolve(context.cwd, request.out);
  await requireOut(dirname(out), { make: false });
  if (!request.dryRun) await tidyBeside(context, out);
  const place = await reportPlace(out, context.cwd);
  const set = wantedRecords(await readRecords(context, request.from), request.system);
  const { version } = await toolIdentity(context);
  const data = buildReport({
    records: set.records,
    notes: [...set.notes, ...briefNote(set.records.length)],
    tool: `superoffload ${version}`,
    createdUtc: utcNow(context),
    sources: request.from.length === 0 ? ['runs'] : request.from,
    addressOf: (folder) => pathAddress(relative(place.path, folder).split(sep).join('/')),
  });
  const { formats } = request;
  const open = resolve(place.path, fileNames(formats)[0] ?? '');
  const common = {
    schemaVersion: 1,
    ...{ folder: place.path, open, runs: data.runs.length, replaces: place.replaces },
    notes: data.notes,
  } as const;
  if (request.dryRun) return { ...common, files: countFiles(formats, data.runs.length), bytes: null };
  const written = await asTask(
    context,
    { id: 'report', title: `report of ${data.runs.length} runs` },
    (task) => writeReportFolder(place, (write) => fill(context, { data, set, formats, task }, write)),
  );
  return { ...common, ...written };
}

async function tidyBeside(context: Context, out: string): Promise<void> {
  for (const each of await tidyReport(out)) {
    context.emit({ type: 'note', message: leftBehind(each) });
  }
}

function wantedRecords({ records, notes }: RecordSet, system: string | null): RecordSet {
  if (records.length === 0) {
    throw new SuperOffloadError({
      code: 'environment',
      message: ['there is no run to report', ...notes.slice(0, 5)].join('\n'),
      hint: 'start with: superoffload quickstart; or name other results with --from',
    });
  }
  if (system === null) return { records, notes };
  const machines = figureSystems(records.map(({ record }) => record));
  const chosen = machines.filter((machine) => machine.name === system || machine.system.name === system);
  const wanted = new Set(chosen.flatMap((machine) => machine.records));
  if (wanted.size > 0) return { records: records.filter(({ record }) => wanted.has(record)), notes };
  throw new SuperOffloadError({
    code: 'usage',
    message: `--system: none of ${records.length} runs is of ${JSON.stringify(system)}`,
    hint: `these have runs: ${machines.map(({ name }) => name).join(', ')}`,
  });
}

function briefNote(runs: number): string[] {
  if (runs <= fullRuns) return [];
  return [
    `of more than ${fullRuns} runs the pages are brief: no loss curves, and a configuration that several runs share is ` +
      'shown once; for all of it report fewer runs with --from or --system',
  ];
}

const topFiles = { html: 'index.html', md: 'report.md', csv: 'runs.csv' } as const;

function fileNames(formats: readonly ReportFormat[]): string[] {
  return reportFormats.filter((format) => formats.includes(format)).map((format) => topFiles[format]);
}

/** The marker, and with pages their style, their script and a page a run. */
function countFiles(formats: readonly ReportFormat[], runs: number): number {
  return 1 + formats.length + (formats.includes('html') ? 2 + runs : 0);
}

interface Contents {
  readonly data: ReportData;
  readonly set: RecordSet;
  readonly formats: readonly ReportFormat[];
  readonly task: Task;
}

async function fill(
  context: Context,
  { data, set, formats, task }: Contents,
  write: WriteFile,
): Promise<void> {
  const names = fileNames(formats);
  if (formats.includes('html')) {
    names.push(sharedFiles.style, sharedFiles.script, 'runs');
    await write(sharedFiles.style, pageStyle);
    await write(sharedFiles.script, pageScript);
    const figures = await drawFigures(context, set);
    await write(topFiles.html, indexPage(data, figures, sha256Of).toString());
    await writeRunPages(context, data, set.records, task, write);
  }
  if (formats.includes('md')) await write(topFiles.md, reportMarkdown(data));
  if (formats.includes('csv')) await write(topFiles.csv, runsCsv(data));
  const { tool, createdUtc, runs } = data;
  const marker = {
    schemaVersion: 1,
    kind: 'superoffload-report',
    tool,
    createdUtc,
    runs: runs.length,
    names,
  };
  await write(reportMarker, `${JSON.stringify(marker, null, 2)}\n`);
}

async function writeRunPages(
  context: Context,
  data: ReportData,
  records: readonly FoundRecord[],
  task: Task,
  write: WriteFile,
): Promise<void> {
  const configurations = new Set([runFiles.plan, runFiles.deepspeedConfig]);
  const archived = await readArchivedTexts(context, records, configurations);
  const detailsOf = createDetailReader(context, records.length, archived);
  const rows = new Map(data.runs.map((row) => [row.runId, row]));
  for (const [index, found] of records.entries()) {
    context.signal.throwIfAborted();
    const row = rows.get(found.record.runId);
    if (row === undefined) continue;
    await write(pageName(row.runId), runPage(row, await detailsOf(found), data.tool).toString());
    if (index % 100 === 99) task.line(`${index + 1} of ${records.length} pages`);
  }
}

/** For the pages' policy: the browser runs what has this hash, and nothing else. */
function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
