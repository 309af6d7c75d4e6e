import { quoteCommand } from '../../core/launch/quote.ts';
import type { ListedSystem, ShownSystem } from '../../workflows/systems/list-systems.ts';
import type { ProbeSystemReport } from '../../workflows/systems/probe-system.ts';
import { formatNumber } from './format.ts';
import { resultTable } from './result-table.ts';

/** Behind the name of a system of the user's folder. */
const usersMark = '*';
const unknown = '-';

export function systemsTable(systems: readonly ListedSystem[]): string {
  const left = (title: string) => ({ title });
  const right = (title: string) => ({ title, align: 'right' as const });
  const columns = [
    ...[left('system'), right('chips a node'), left('GPU'), right('GPU GiB'), right('host GiB a chip')],
    ...[right('of a node'), left('link'), right('H2D GB/s'), right('peak TFLOPS'), left('launcher')],
    left('scheduler'),
  ];
  const rows = systems.map((system) => [
    `${system.name}${system.isUsers ? usersMark : ''}`,
    String(system.chipsPerNode),
    system.gpuName ?? unknown,
    ...[system.gpuGiB, system.hostGiBPerChip, system.hostGiB].map(number),
    system.link,
    ...[system.rates.h2dGBps, system.peakTflops].map(number),
    system.launcher,
    system.site.scheduler,
  ]);
  const notes = systems.some(({ isUsers }) => isUsers) ? [`\n${usersMark} from ./experiment/systems`] : [];
  return [resultTable(columns, rows), ...notes].join('\n');
}

function number(value: number | null): string {
  return value === null ? unknown : formatNumber(value);
}

/** One line a field: its name, its value with the unit, and where that comes from. */
export function systemText({ system, file }: ShownSystem): string {
  const { rates, site } = system;
  const source = (field: string): string => file.sources[field] ?? file.sources['all'] ?? '';
  const fields: readonly (readonly [field: string, title: string, value: string])[] = [
    ['accelerator', 'accelerator', system.accelerator],
    ['chipsPerNode', 'chips a node', String(system.chipsPerNode)],
    ['gpuName', 'GPU', system.gpuName ?? unknown],
    ['gpuGiB', 'GPU memory', withUnit(system.gpuGiB, 'GiB')],
    ['hostGiB', 'host memory of a node', withUnit(system.hostGiB, 'GiB')],
    ['hostGiBPerChip', 'host memory of a chip', withUnit(system.hostGiBPerChip, 'GiB')],
    ['cores', 'cores of a node', String(system.cores)],
    ['hostNumaNodes', 'NUMA nodes of host memory', site.hostNumaNodes?.join(', ') ?? 'any'],
    ['link', 'link', system.link],
    ['peakTflops', 'peak, dense 16-bit', withUnit(system.peakTflops, 'TFLOPS')],
    ['rates.achievableTflops', 'matrix product', withUnit(rates.achievableTflops, 'TFLOPS')],
    ['rates.hbmGBps', 'GPU memory speed', withUnit(rates.hbmGBps, 'GB/s')],
    ['rates.h2dGBps', 'host to GPU', withUnit(rates.h2dGBps, 'GB/s')],
    ['rates.d2hGBps', 'GPU to host', withUnit(rates.d2hGBps, 'GB/s')],
    ['rates.hostGBps', 'host memory speed', withUnit(rates.hostGBps, 'GB/s')],
    ['rates.adamNsPerParameter', 'CPU Adam', withUnit(rates.adamNsPerParameter, 'ns a parameter')],
    ['rates.intraNodeGBps', 'between chips', withUnit(rates.intraNodeGBps, 'GB/s')],
    ['rates.interNodeGBps', 'between nodes', withUnit(rates.interNodeGBps, 'GB/s')],
    ['launcher', 'launcher', system.launcher],
    ['site.scheduler', 'scheduler', site.scheduler],
    ['site.binding', 'binding', site.binding],
    ...lines('site.slurm', 'Slurm', options(site.slurm)),
    ...lines('site.setup', 'set-up', site.setup),
    ...lines('site.env', 'variable', options(site.env)),
  ];
  const width = (at: 1 | 2): number => Math.max(...fields.map((field) => field[at].length));
  const [titles, values] = [width(1), width(2)];
  const text = fields.map(([field, title, value]) =>
    `  ${title.padEnd(titles)}  ${value.padEnd(values)}  ${source(field)}`.trimEnd(),
  );
  return [`${system.name}: ${system.title}`, ...text].join('\n');
}

function lines(field: string, title: string, values: readonly string[]): [string, string, string][] {
  return values.map((value) => [field, title, value]);
}

function options(record: Readonly<Record<string, string>>): string[] {
  return Object.entries(record).map(([name, value]) => (value === '' ? name : `${name}=${value}`));
}

function withUnit(value: number | null, unit: string): string {
  return value === null ? unknown : `${formatNumber(value)} ${unit}`;
}

export function probeDryRunText({ command }: Pick<ProbeSystemReport, 'command'>): string {
  return command === null ? 'nothing would be measured' : quoteCommand(command);
}
