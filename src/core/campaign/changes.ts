import { groupBy } from '../collections/group-by.ts';
import type { Case } from '../experiment/case.ts';
import { canonicalJson } from '../experiment/case-id.ts';
import type { Cell } from './cell.ts';

/** A cell that is there before and after, and is not the same. */
export interface ChangedCell {
  readonly before: Cell;
  readonly after: Cell;
  /** One word each: `steps 40 -> 20`. */
  readonly what: readonly string[];
}

/** How a campaign is not what it was when it was stopped. */
export interface CampaignChanges {
  readonly added: readonly Cell[];
  readonly removed: readonly Cell[];
  readonly changed: readonly ChangedCell[];
}

/**
 * Compares the cells of a campaign then and now. One whose key is gone and one whose key is new are the same cell,
 * changed, where mode, size and chips are the same.
 */
export function campaignChanges(then: readonly Cell[], now: readonly Cell[]): CampaignChanges {
  const [thenKeys, nowKeys] = [keysOf(then), keysOf(now)];
  const gone = groupBy(
    then.filter(({ key }) => !nowKeys.has(key)),
    (cell) => coordinates(cell.case),
  );
  const added: Cell[] = [];
  const changed: ChangedCell[] = [];
  for (const after of now) {
    if (thenKeys.has(after.key)) continue;
    const place = coordinates(after.case);
    const before = closest(gone.get(place) ?? [], after);
    if (before === null) {
      added.push(after);
      continue;
    }
    gone.set(place, gone.get(place)?.filter((cell) => cell !== before) ?? []);
    changed.push({ before, after, what: differences(before, after) });
  }
  return { added, removed: [...gone.values()].flat(), changed };
}

export function isUnchanged({ added, removed, changed }: CampaignChanges): boolean {
  return added.length + removed.length + changed.length === 0;
}

function keysOf(cells: readonly Cell[]): Set<string> {
  return new Set(cells.map(({ key }) => key));
}

/** The one that differs in the least. */
function closest(candidates: readonly Cell[], cell: Cell): Cell | null {
  const alike = candidates.map((other) => ({ other, count: differences(other, cell).length }));
  return alike.sort((a, b) => a.count - b.count)[0]?.other ?? null;
}

function coordinates({ workload, mode, model, chips }: Case): string {
  return canonicalJson([workload, mode, model.name, chips]);
}

function differences(before: Cell, after: Cell): string[] {
  const then: Readonly<Record<string, unknown>> = { ...before.case };
  const now: Readonly<Record<string, unknown>> = { ...after.case };
  const names = new Set([...Object.keys(then), ...Object.keys(now)]);
  const ofCase = [...names].flatMap((name) => {
    const [a, b] = [canonicalJson(then[name] ?? null), canonicalJson(now[name] ?? null)];
    return a === b ? [] : [`${name} ${a} -> ${b}`];
  });
  return [...ofCase, ...settingDifferences(before, after)];
}

function settingDifferences({ withWhat: then }: Cell, { withWhat: now }: Cell): string[] {
  const short = (hash: string | null): string => hash?.slice(0, 12) ?? 'none';
  return [
    ...(then.stack === now.stack ? [] : [`stack lock ${short(then.stack)} -> ${short(now.stack)}`]),
    ...(then.deepspeed === now.deepspeed ? [] : ['DeepSpeed JSON']),
    ...(then.system === now.system ? [] : [`system ${then.system} -> ${now.system}`]),
    ...(then.machine === now.machine ? [] : [`machine ${then.machine} -> ${now.machine}`]),
    ...(then.exclusiveHost === now.exclusiveHost
      ? []
      : [`exclusive host ${then.exclusiveHost} -> ${now.exclusiveHost}`]),
    ...(then.site === now.site ? [] : ['set-up lines or variables of the system']),
    ...(then.launcher === now.launcher ? [] : [`launcher ${then.launcher} -> ${now.launcher}`]),
  ];
}

const mostLines = 10;

/** The changes as lines for a person; many alike are one line. */
export function describeChanges({ added, removed, changed }: CampaignChanges): string[] {
  const alike = new Map<string, string[]>();
  for (const { after, what } of changed) {
    const text = what.join(', ');
    alike.set(text, [...(alike.get(text) ?? []), after.title]);
  }
  return [
    ...lines(
      'added',
      added.map(({ title }) => title),
    ),
    ...lines(
      'removed',
      removed.map(({ title }) => title),
    ),
    ...[...alike].map(([what, titles]) =>
      titles.length === 1
        ? `changed: ${titles[0] ?? ''}: ${what}`
        : `changed: ${titles.length} cases: ${what}`,
    ),
  ];
}

function lines(word: string, titles: readonly string[]): string[] {
  const shown = titles.slice(0, mostLines).map((title) => `${word}: ${title}`);
  return titles.length > mostLines ? [...shown, `${word}: ${titles.length - mostLines} more`] : shown;
}
