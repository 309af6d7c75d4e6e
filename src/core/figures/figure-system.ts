import type { System } from '../experiment/case.ts';
import { shownLine } from '../text/plain.ts';
import type { RunRecord } from '../results/record.ts';

/** A machine that runs were made on, with all of them, oldest first. Runs of two machines never share a picture. */
export interface FigureSystem {
  /** As `--system` names it, and as files are called: letters, digits, dots and dashes. */
  readonly name: string;
  readonly title: string;
  /** As the newest run knows it. */
  readonly system: System;
  readonly records: readonly RunRecord[];
}

/** Groups runs by the machine, in the order in which the machines first ran. */
export function figureSystems(records: readonly RunRecord[]): FigureSystem[] {
  const groups: { readonly system: System; readonly records: RunRecord[] }[] = [];
  for (const record of records) {
    // Most runs are of the machine of the run before.
    const group = groups.findLast(({ system }) => isSameMachine(system, record.system));
    if (group === undefined) groups.push({ system: record.system, records: [record] });
    else group.records.push(record);
  }
  const names = distinctNames(groups.map(({ system }) => system));
  return groups.map(({ system, records: own }, index) => ({
    name: names[index] ?? plainName(system),
    title: systemTitle(system),
    system: own.at(-1)?.system ?? system,
    records: own,
  }));
}

/** A machine without a run, by its profile. */
export function systemWithoutRuns(system: System): FigureSystem {
  return { name: plainName(system), title: systemTitle(system), system, records: [] };
}

/** `local` is another machine wherever it is asked for: what it has tells one from another. */
function isSameMachine(a: System, b: System): boolean {
  return (
    a.name === b.name &&
    a.accelerator === b.accelerator &&
    a.gpuName === b.gpuName &&
    a.chipsPerNode === b.chipsPerNode &&
    a.cores === b.cores &&
    isNear(a.gpuGiB, b.gpuGiB) &&
    isNear(a.hostGiB, b.hostGiB)
  );
}

/** What the system shows of its memory moves by a little from boot to boot. */
function isNear(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a === b;
  return Math.abs(a - b) <= 0.02 * Math.max(a, b);
}

function plainName({ name, accelerator, chipsPerNode, gpuName, cores }: System): string {
  if (name !== 'local') return slug(name);
  return accelerator === 'cuda' ? slug(`${chipsPerNode}x-${gpuName ?? 'gpu'}`) : `cpu-${cores}-cores`;
}

function systemTitle({ name, title, accelerator, cores }: System): string {
  if (accelerator === 'cpu') {
    const ranks = `CPU ranks on ${cores} core${cores === 1 ? '' : 's'}`;
    return name === 'local' ? ranks : shownLine(`${ranks}, system ${name}`, 60);
  }
  return shownLine(title === '' ? name : title, 60);
}

/** Two machines of one name differ in what they have. */
function distinctNames(systems: readonly System[]): string[] {
  const taken = new Set<string>();
  const isShared = (name: string): boolean =>
    systems.filter((system) => plainName(system) === name).length > 1;
  return systems.map((system) => {
    const name = plainName(system);
    const wanted =
      isShared(name) && system.hostGiB !== null ? `${name}-${Math.round(system.hostGiB)}gib` : name;
    let distinct = wanted;
    // Another machine may be called `a-2` by its own name.
    for (let count = 2; taken.has(distinct); count += 1) distinct = `${wanted}-${count}`;
    taken.add(distinct);
    return distinct;
  });
}

/** Part of a file name on every system, whatever it was. */
function slug(text: string): string {
  const words = text
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9.]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '');
  return words === '' ? 'system' : words.slice(0, 60).toLowerCase();
}
