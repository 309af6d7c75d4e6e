import type { Column } from '../../adapters/table.ts';
import { groupBy } from '../../core/collections/group-by.ts';
import type { Candidate, Rejected } from '../../core/tune/tuning.ts';
import type { TunePlan } from '../../workflows/tune/plan-tune.ts';
import type { SizePlan } from '../../workflows/tune/size-plans.ts';
import { settingsText } from '../../workflows/tune/progress.ts';
import { firstStep, firstTrial } from '../../workflows/tune/tune.ts';
import { formatNumber } from './format.ts';
import { resultTable } from './result-table.ts';

const columns: readonly Column[] = [
  { title: 'size' },
  { title: 'mode' },
  { title: 'settings', cut: true },
  { title: 'GPU GiB', align: 'right' },
  { title: 'host GiB', align: 'right' },
  { title: 's/step', align: 'right' },
  { title: '' },
];

/** More lines than a person reads: all are in --json. */
const mostOfMode = 3;

/** What a tuning would choose from, and what it would begin with; nothing was started. */
export function tuneDryRun(plan: TunePlan): string {
  const { notes, sizes, planning } = plan;
  const onCpu = planning.system.accelerator === 'cpu';
  const bodies = sizes.map((size) => sizeText(plan, size));
  return [...notes, ...bodies, budgetText(plan), ...(onCpu ? [functionalText] : [])].join('\n\n');
}

export const functionalText = 'FUNCTIONAL: CPU ranks; which configuration is chosen says nothing about a GPU';

function sizeText(plan: TunePlan, size: SizePlan): string {
  const { rejected } = size;
  const { candidates } = size.tuning;
  const first = firstTrial(size);
  const shown = plan.command.objective === 'size' ? ofSizes(candidates) : shownOf(candidates, first);
  const rows = shown.map((candidate) => rowOf(candidate, candidate === candidates[first ?? -1], plan));
  const more = candidates.length - shown.length;
  const chosen = first === null ? undefined : candidates[first];
  return [
    `${size.name}: ${candidates.length} candidates, ${rejected.length} not tried`,
    ...(rows.length === 0 ? [] : [resultTable(columns, rows)]),
    ...(more > 0 ? [`and ${more} more ways: --json has them`] : []),
    ...(chosen === undefined
      ? []
      : [
          `${isPredicted(plan) ? 'choice' : 'first trial'}: ${chosen.subject.mode}: ${chosen.why.join(', ')}`,
        ]),
    ...(chosen === undefined && candidates.length > 0 ? [`no trial: ${firstStep(size).why}`] : []),
    ...rejectedLines(rejected, plan.command.objective === 'size'),
  ].join('\n');
}

/** Of each size what is predicted to be its fastest. */
function ofSizes(candidates: readonly Candidate[]): readonly Candidate[] {
  return [...groupBy(candidates, ({ subject }) => subject.model.name).values()].flatMap(
    (group) => group[0] ?? [],
  );
}

/** What comes first in the order of prediction, and of each mode its best. */
function shownOf(candidates: readonly Candidate[], first: number | null): readonly Candidate[] {
  const ofMode = new Map<string, number>();
  return candidates.filter(({ subject: { mode, model } }, index) => {
    const key = `${mode} ${model.name}`;
    const count = (ofMode.get(key) ?? 0) + 1;
    ofMode.set(key, count);
    return index === first || count <= mostOfMode;
  });
}

/** Without trials what would come first is the choice. */
function isPredicted({ command }: TunePlan): boolean {
  return command.budget.maxTrials === 0;
}

function rowOf(candidate: Candidate, isFirst: boolean, plan: TunePlan): string[] {
  const { subject, predictedStepMs, gpuGiB, hostGiB } = candidate;
  return [
    subject.model.name,
    subject.mode,
    settingsText(candidate),
    plan.planning.system.accelerator === 'cuda' ? gpuGiB.toFixed(1) : '-',
    hostGiB.toFixed(1),
    predictedStepMs === null ? '-' : formatNumber(predictedStepMs / 1000),
    isFirst ? (isPredicted(plan) ? 'choice' : 'first') : '',
  ];
}

/** Of a mode the first reason, and how many more there are. */
function rejectedLines(rejected: readonly Rejected[], isAnySize: boolean): string[] {
  const groups = groupBy(
    rejected,
    ({ subject: { mode, model } }) => `${mode} ${isAnySize ? '' : model.name}`,
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const settings = settingsText({ subject: first.subject, bindCores: false });
    const others = group.length === 1 ? '' : ` (and ${group.length - 1} more ways of it)`;
    const { mode, model } = first.subject;
    return [`not tried: ${mode} ${model.name}, ${settings}: ${first.reason}${others}`];
  });
}

export function budgetText({ command: { budget }, sizes }: TunePlan): string {
  const { maxTrials, maxMinutes, memoryMargin } = budget;
  const each = sizes.length > 1 ? ' for each size' : '';
  const trials = maxTrials === 0 ? 'no trials: by prediction alone' : `at most ${maxTrials} trials`;
  return `budget${each}: ${trials}, ${maxMinutes} minutes; ${Math.round(100 * memoryMargin)}% of each memory stays free`;
}
