import { resolve } from 'node:path';
import { readJson } from '../../../adapters/files.ts';
import { buildTimeline } from '../../../core/figures/timeline/build-timeline.ts';
import { pictureRuns, type PictureRuns } from '../../../core/figures/timeline/choose-runs.ts';
import { readLimits, type MeasuredLimits } from '../../../core/figures/timeline/rates.ts';
import { timelineBase } from '../../../core/figures/timeline/timeline-base.ts';
import type { TimelineData } from '../../../core/figures/timeline/timeline-data.ts';
import { faultsError, SuperOffloadError } from '../../../errors.ts';
import type { Context } from '../../context.ts';
import { toolIdentity } from '../../tool-identity.ts';
import { usualFormats } from '../formats.ts';
import type { OwnFigureRequest, OwnFigures } from '../own-figures.ts';
import { requireOut } from '../../require-out.ts';
import { filesOf, writeFigures, type Drawable } from '../write-figures.ts';
import { readTracedRuns, type TracedRuns } from './read-traced-runs.ts';

/**
 * Draws where the time of one step goes, of one or several modes on one time axis.
 * @throws SuperOffloadError 'usage' for what names nothing, 'environment' where no run has a timeline.
 */
export async function drawTimeline(context: Context, request: OwnFigureRequest): Promise<OwnFigures> {
  const out = resolve(context.cwd, request.out);
  const limits = request.limits === undefined ? null : await readLimitsFile(context, request.limits);
  await requireOut(out, { make: false });
  const traced = await readTracedRuns(context, request.from);
  const pictures = picturesOf(traced, request);
  const { version } = await toolIdentity(context);
  const data = pictures.map((picture) => buildTimeline({ ...picture, limits, tool: version }));
  const bases = timelineBases(data);
  const drawables = data.map((each, index) => drawableTimeline(each, bases[index] ?? ''));
  const formats = request.formats ?? usualFormats;
  const files = request.dryRun
    ? drawables.map((each) => filesOf(each, formats, out))
    : await writeFigures(context, drawables, { formats, out, mayLackPng: request.formats === null });
  return {
    figures: data.map((each, index) => ({ data: each, head: headOf(each), files: files[index] ?? [] })),
    notes: traced.notes,
  };
}

/** @throws SuperOffloadError 'usage' where it is not what bench/overlap_limits.py writes, 'config' where it is no JSON. */
async function readLimitsFile(context: Context, path: string): Promise<MeasuredLimits> {
  const value = await readJson(resolve(context.cwd, path));
  const limits = readLimits(value);
  if (limits !== null) return limits;
  const problem = value === undefined ? 'there is no such file' : 'it has no rates of CPU Adam and the link';
  const expected = 'what bench/overlap_limits.py prints on a machine with a GPU';
  throw faultsError('usage', [{ place: `--limits ${path}`, problem, expected }]);
}

/** Where nobody said which runs: those of the case that was traced last. */
function picturesOf(
  { runs, areNamed, notes }: TracedRuns,
  { from, system }: OwnFigureRequest,
): PictureRuns[] {
  const all = pictureRuns(runs, areNamed);
  const isOf = ({ machine }: PictureRuns): boolean => machine.name === system || machine.profile === system;
  const wanted = system === undefined ? all : all.filter(isOf);
  if (wanted.length === 0)
    throw noTimeline({ system, notes, machines: all.map(({ machine }) => machine.name) });
  return from.length > 0 ? wanted : [wanted.reduce((a, b) => (newest(b) > newest(a) ? b : a))];
}

function newest({ runs }: PictureRuns): string {
  return runs.map(({ startedUtc }) => startedUtc).reduce((a, b) => (b > a ? b : a), '');
}

function noTimeline(found: {
  readonly system: string | undefined;
  readonly machines: readonly string[];
  readonly notes: readonly string[];
}): SuperOffloadError {
  const { system, machines, notes } = found;
  const others = [...new Set(machines)].join(', ');
  const problem =
    machines.length === 0
      ? 'figure timeline: none of the runs has a timeline'
      : `figure timeline: no run of ${JSON.stringify(system)} has a timeline, but of ${others}`;
  return new SuperOffloadError({
    code: 'environment',
    message: [problem, ...notes].join('\n'),
    hint: 'to record one: superoffload throughput --model 2B --mode prism_overlap --timeline',
  });
}

/** Names of files, each different: two pictures may be of one size. */
function timelineBases(data: readonly TimelineData[]): string[] {
  const bases = data.map(timelineBase);
  return bases.map((base, index) => {
    const before = bases.slice(0, index).filter((each) => each === base).length;
    return before === 0 ? base : `${base}-${before + 1}`;
  });
}

function drawableTimeline(data: TimelineData, base: string): Drawable {
  const texts = () => import('../../../core/figures/render/timeline/timeline-text.ts');
  return {
    title: `figure timeline, ${data.system.title}`,
    ...{ base, data },
    spec: async () =>
      (await import('../../../core/figures/render/timeline/timeline-spec.ts')).timelineSpec(data),
    csv: async () =>
      (await import('../../../core/figures/render/timeline/timeline-csv.ts')).timelineCsv(data),
    markdown: async () => (await texts()).timelineMarkdown(data),
    html: async (svg) =>
      (await import('../../../core/figures/render/timeline/timeline-html.ts')).timelineHtml(data, svg),
  };
}

/** `One optimizer step of 2B on 1 x NVIDIA H200: ZeRO-Offload 1244 ms (2.48 times its bound)`. */
function headOf({ title, system, rows, functional }: TimelineData): string {
  const steps = rows.map(({ title: name, stepMs, bounds }) => {
    const times = bounds === null ? '' : ` (${(stepMs / bounds.dependentMs).toFixed(2)} times its bound)`;
    return `  ${name}: ${stepMs.toFixed(stepMs < 100 ? 1 : 0)} ms${times}`;
  });
  return [`${title} on ${system.title}${functional ? ' (functional)' : ''}:`, ...steps].join('\n');
}
