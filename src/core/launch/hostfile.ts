import type { Fault } from '../../errors.ts';
import type { Host, HostfileSchedule } from './schedule.ts';

export type HostfileResult =
  | { readonly ok: true; readonly hosts: readonly Host[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** A name or an address of ssh: nothing that it could take for an option, nothing that a shell could read. */
const hostName = /^[A-Za-z0-9_][A-Za-z0-9_.:@%-]*$/;
const line = /^(\S+)\s+slots=(\d+)(?:\s*#.*)?$/;

/**
 * Reads a hostfile: `name slots=N` a line, with spaces or tabs between; empty lines and lines that begin with `#` are
 * left out; the same name twice is refused (deepspeed/launcher/runner.py 0.19.8, _parse_hostfile). A byte-order mark
 * and CR LF do no harm. Stricter than DeepSpeed, which drops whatever follows the slots: only a comment may.
 * @param path as the user gave it, for the faults
 * @returns the hosts in their order, or every fault with its line number.
 */
export function parseHostfile(text: string, path: string): HostfileResult {
  const hosts: Host[] = [];
  const faults: Fault[] = [];
  const lineOf = new Map<string, number>();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const place = `${path}:${index + 1}`;
    const host = parseLine(content, place, faults);
    if (host === null) continue;
    const first = lineOf.get(host.name);
    if (first === undefined) {
      lineOf.set(host.name, index + 1);
      hosts.push(host);
    } else {
      const problem = `names ${host.name} again, which line ${first} has`;
      faults.push({ place, problem, expected: 'each host once, with all of its slots' });
    }
  }
  if (hosts.length === 0 && faults.length === 0) {
    faults.push({ place: path, problem: 'names no host', expected: 'lines like: node1 slots=4' });
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, hosts };
}

function parseLine(content: string, place: string, faults: Fault[]): Host | null {
  const [, name = '', slots = ''] = line.exec(content) ?? [];
  if (name === '') {
    const problem = `is no line of a hostfile: ${JSON.stringify(content)}`;
    faults.push({ place, problem, expected: 'a host and its chips, like: node1 slots=4' });
    return null;
  }
  if (!hostName.test(name)) {
    faults.push({ place, problem: `is no name of a host: ${JSON.stringify(name)}` });
    return null;
  }
  if (Number(slots) < 1 || Number(slots) > 1024) {
    const problem = `gives ${name} ${slots} slots`;
    faults.push({ place, problem, expected: '1 to 1024, the chips of the host; or no line for it' });
    return null;
  }
  return { name, slots: Number(slots) };
}

export type HostfileScheduleResult =
  | { readonly ok: true; readonly schedule: HostfileSchedule }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Lays a run out on hosts as the artifact does on nodes: the first host alone where it has the chips, else as many of
 * the first hosts as give them, all filled. Where they have different numbers of slots, the smallest of those taken
 * counts for each.
 * @param masterAddress of the first host as the others see it; its name until somebody asked it
 */
export function hostfileSchedule(
  hosts: readonly Host[],
  chips: number,
  masterAddress?: string,
): HostfileScheduleResult {
  const total = hosts.reduce((sum, { slots }) => sum + slots, 0);
  const place = `--chips ${chips}`;
  if (chips > total) {
    const problem = `is more than the ${total} slots of the hostfile's ${hosts.length} host${hosts.length === 1 ? '' : 's'}`;
    return { ok: false, faults: [{ place, problem, expected: `${total} or fewer` }] };
  }
  const nodes = nodesFor(hosts, chips);
  if (nodes === null) {
    const problem = `does not fill hosts evenly (slots: ${slotsText(hosts)})`;
    return { ok: false, faults: [{ place, problem, expected: possibleChips(hosts, chips) }] };
  }
  const used = hosts.slice(0, nodes);
  const schedule: HostfileSchedule = {
    scheduler: 'hostfile',
    layout: { nodes, ranksPerNode: chips / nodes },
    hosts: used,
    masterAddress: masterAddress ?? used[0]?.name ?? '',
  };
  return { ok: true, schedule };
}

/** The first host where it has the chips, else the first hosts that are filled evenly; null where none are. */
function nodesFor(hosts: readonly Host[], chips: number): number | null {
  if (chips <= (hosts[0]?.slots ?? 0)) return 1;
  let smallest = Number.POSITIVE_INFINITY;
  for (const [index, { slots }] of hosts.entries()) {
    smallest = Math.min(smallest, slots);
    if (chips === (index + 1) * smallest) return index + 1;
  }
  return null;
}

function slotsText(hosts: readonly Host[]): string {
  const shown = hosts.slice(0, 8).map(({ slots }) => slots);
  return shown.join(', ') + (hosts.length > shown.length ? ', ...' : '');
}

/** The numbers of chips next to the one asked for that can be laid out. */
function possibleChips(hosts: readonly Host[], chips: number): string {
  const total = hosts.reduce((sum, { slots }) => sum + slots, 0);
  const fits = (count: number): boolean => nodesFor(hosts, count) !== null;
  const range = (from: number, to: number): number[] =>
    Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  const below = range(1, chips - 1).findLast(fits);
  const above = range(chips + 1, total).find(fits);
  return [below, above].filter((count) => count !== undefined).join(' or ');
}
