import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { listCampaigns } from '../../adapters/campaign-store.ts';
import { dataFolders } from '../../adapters/experiment-data.ts';
import { readJson } from '../../adapters/files.ts';
import { listRunIds } from '../../adapters/run-store.ts';
import { stackNamesIn } from '../../adapters/stack/store.ts';
import { listTags } from '../../adapters/tag-store.ts';
import { isShowable, shortText, type Candidate } from '../../core/completion/candidate.ts';
import type { ValueKind } from '../../core/completion/value-kind.ts';
import { caseIdOfRun } from '../../core/results/run-files.ts';
import type { Context } from '../context.ts';

type Source = (context: Context, typed: string) => Promise<readonly Candidate[]>;

/**
 * What a value of a kind may be: read from the state folder and the experiment folders as they are now, by names alone.
 * Nothing is written, and what cannot be read has no candidates.
 * @param typed what is there of it
 */
export async function candidates(context: Context, kind: ValueKind, typed: string): Promise<Candidate[]> {
  const found = await (sources[kind] ?? none)(context, typed).catch(() => []);
  const unique = new Map(found.filter(({ value }) => isShowable(value)).map((each) => [each.value, each]));
  return [...unique.values()].map(({ value, description }) => ({
    value,
    ...(description === undefined ? {} : { description: shortText(description) }),
  }));
}

/** Whether a value of a kind may be a path: those are the shell's to complete. */
export function pathsOf(kind: ValueKind): 'files' | 'folders' | 'values' {
  if (['file', 'source', 'tag-or-file', 'experiment', 'experiment-or-campaign'].includes(kind))
    return 'files';
  return kind === 'folder' ? 'folders' : 'values';
}

const none: Source = async () => Promise.resolve([]);

const words =
  (load: () => Promise<readonly (string | number)[]>): Source =>
  async () =>
    (await load()).map((word) => ({ value: String(word) }));

const joined =
  (...each: readonly Source[]): Source =>
  async (context, typed) =>
    (await Promise.all(each.map((source) => source(context, typed)))).flat();

const runs: Source = async ({ home }, typed) => {
  const ids = (await listRunIds(home)).reverse();
  const named = (value: string, id: string): Candidate => ({ value, description: caseIdOfRun(id) });
  // The last four letters name a run too, where no other ends so.
  const ends = /^[0-9a-f]{1,4}$/.test(typed) ? ids.filter(endsAlone(ids)) : [];
  return [
    ...ids.map((id) => named(id, id)),
    ...(ids.length === 0 ? [] : [{ value: 'last', description: 'the run that was started last' }]),
    ...ends.map((id) => named(id.slice(-4), id)),
  ];
};

/** Of 5,000 ids no two are compared with each other. */
function endsAlone(ids: readonly string[]): (id: string) => boolean {
  const counts = new Map<string, number>();
  for (const id of ids) {
    for (const part of new Set([id.slice(0, 4), id.slice(-4)])) counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  return (id) => counts.get(id.slice(-4)) === 1;
}

const tags: Source = async ({ home }) =>
  (await listTags(home)).map((value) => ({ value, description: 'tag' }));
const campaigns: Source = async ({ home }) =>
  (await listCampaigns(home)).map((value) => ({ value, description: 'campaign' }));
const stacks: Source = async ({ home }) =>
  [...(await stackNamesIn(home)), 'pip', 'fork'].map((value) => ({ value, description: 'stack' }));

const systems: Source = async (context) => [
  { value: 'local', description: 'this machine' },
  ...(await namesIn(dataFolders(context).map((folder) => join(folder, 'systems')))),
];

const experiments: Source = async (context) =>
  (await namesIn(dataFolders(context))).filter(({ value }) => value !== 'model');

async function namesIn(folders: readonly string[]): Promise<Candidate[]> {
  const names = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
  return names
    .flat()
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({ value: basename(name, '.json') }));
}

/** By their keys alone: whether the shapes are right is said where one is used. */
const models: Source = async (context) => {
  const found: Candidate[] = [];
  for (const folder of dataFolders(context)) {
    const file = await readJson(join(folder, 'model.json')).catch(() => undefined);
    const { models: sizes } = (file ?? {}) as { readonly models?: object };
    found.push(...Object.keys(sizes ?? {}).map((value) => ({ value })));
  }
  return found;
};

const upstreams = words(async () => {
  const { upstreamNames } = await import('../../core/upstreams/upstream.ts');
  return upstreamNames.map((name) => `${name}=`);
});

const sources: Partial<Record<ValueKind, Source>> = {
  mode: words(async () => (await import('../../core/experiment/case.ts')).modeNames),
  'tune-mode': words(async () => [
    ...(await import('../../core/tune/modes-to-tune.ts')).tuneModeWords,
    ...(await import('../../core/experiment/case.ts')).modeNames,
  ]),
  model: models,
  system: systems,
  stack: stacks,
  experiment: experiments,
  figure: words(async () => (await import('../figure/wanted-figures.ts')).figureWords),
  run: runs,
  tag: tags,
  campaign: campaigns,
  source: joined(
    words(async () => Promise.resolve(['runs'])),
    tags,
    campaigns,
    runs,
  ),
  'stack-or-run': joined(stacks, runs),
  'tag-or-file': tags,
  'experiment-or-campaign': joined(experiments, campaigns),
  'figure-format': words(async () => (await import('../figure/formats.ts')).figureFormats),
  'report-format': words(async () => (await import('../report/formats.ts')).reportFormats),
  metric: words(async () => (await import('../../core/gate/metric.ts')).metricNames),
  filter: words(async () =>
    (await import('../../core/campaign/filter.ts')).filterKeys.map((key) => `${key}=`),
  ),
  retry: words(async () => [
    ...['infra', 'failed', 'none'],
    ...(await import('../../core/logs/events.ts')).outcomeClasses,
  ]),
  'run-state': words(async () => (await import('../../core/results/run-state.ts')).runStates),
  upstream: upstreams,
  addition: words(async () => Promise.resolve(['megatron'])),
};
