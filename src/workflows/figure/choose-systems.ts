import { dataFolders, pickSystem, scanSystems } from '../../adapters/experiment-data.ts';
import type { HardwareRates, System } from '../../core/experiment/case.ts';
import { resolveSystem, type NamedSystemFile } from '../../core/experiment/system.ts';
import type { FigureNumber } from '../../core/figures/figure-data.ts';
import { systemWithoutRuns, type FigureSystem } from '../../core/figures/figure-system.ts';
import { trialsOf } from '../../core/figures/trial.ts';
import { nearest } from '../../core/experiment/nearest.ts';
import { faultsError } from '../../errors.ts';
import { resolveMachine } from '../machine.ts';
import type { Context } from '../context.ts';

/** Whose numbers a figure is compared with: what is drawn where nothing was run. */
const paperSystems = {
  10: 'gh200',
  11: 'gh200-nvl2',
  12: 'gh200-nvl2',
  13: 'gh200',
} as const satisfies Record<FigureNumber, string>;

/**
 * The machines of `--system`: those with runs that are called so, else the profile of that name.
 * @returns null where none is named
 * @throws SuperOffloadError 'usage' where there is none of that name.
 */
export async function namedSystems(
  context: Context,
  wanted: string | undefined,
  machines: readonly FigureSystem[],
): Promise<readonly FigureSystem[] | null> {
  if (wanted === undefined) return null;
  const own = machines.filter(({ name, system }) => name === wanted || system.name === wanted);
  if (own.length > 0) return own;
  const scanned = scanSystems(dataFolders(context));
  const isProfile = scanned.faults.has(wanted) || scanned.systems.some(({ name }) => name === wanted);
  if (!isProfile)
    throw noSuchSystem(wanted, [
      ...machines.map(({ name }) => name),
      ...scanned.systems.map(({ name }) => name),
    ]);
  pickSystem(wanted, scanned);
  return [systemWithoutRuns((await resolveMachine(context, wanted)).system)];
}

function noSuchSystem(wanted: string, known: readonly string[]) {
  const names = [...new Set(known)];
  const problem = `there is no system ${JSON.stringify(wanted.slice(0, 80))}`;
  const expected = nearest(wanted, names) ?? names.join(', ');
  return faultsError('usage', [{ place: '--system', problem, expected }]);
}

/**
 * The name by which other commands know a system: a machine that a record brought along has none there, and what it
 * calls itself is no word for a command that people copy.
 */
export function profileNamed(context: Context, name: string): string | null {
  const isKnown = scanSystems(dataFolders(context)).systems.some((profile) => profile.name === name);
  return isKnown && name !== 'local' ? name : null;
}

/** Machines to draw for, and what to say of the choice; null where it needs no word. */
export interface ChosenSystems {
  readonly systems: readonly FigureSystem[];
  readonly note: string | null;
}

/**
 * The machines that a figure is drawn for where none is named: all with runs of it; else the newest GPU machine with
 * other runs, or this one; else the paper's own.
 */
export async function systemsFor(
  context: Context,
  figure: FigureNumber,
  machines: readonly FigureSystem[],
): Promise<ChosenSystems> {
  const ran = machines.filter(({ records }) => trialsOf(figure, records).trials.length > 0);
  if (ran.length > 0) return { systems: ran, note: null };
  const newest = machines
    .filter(({ system }) => system.accelerator === 'cuda')
    .sort((a, b) => (newestRun(a) < newestRun(b) ? 1 : -1))[0];
  if (newest !== undefined) return { systems: [newest], note: null };
  const here = (await resolveMachine(context, 'local')).system;
  if (here.accelerator === 'cuda') return { systems: [systemWithoutRuns(here)], note: null };
  const paper = paperSystems[figure];
  const note = `figure ${figure}: no runs of it, and no GPU here: drawn for ${paper}, as in the paper; for another: --system NAME`;
  return { systems: [systemWithoutRuns((await resolveMachine(context, paper)).system)], note };
}

function newestRun({ records }: FigureSystem): string {
  return records.at(-1)?.startedUtc ?? '';
}

/** Records of before systems had rates get those that profiles of the same GPU have now. */
export function withRates(machine: FigureSystem, catalog: readonly NamedSystemFile[]): FigureSystem {
  const { system } = machine;
  const rates = system.rates as HardwareRates | undefined;
  if (rates !== undefined && Object.values(rates).some((rate) => rate !== null)) return machine;
  const profile = catalog.find(({ name }) => name === system.name);
  if (profile === undefined) return machine;
  const known = resolveSystem(profile, asProbed(system), catalog);
  return { ...machine, system: { ...known, ...system, rates: known.rates, site: known.site } };
}

function asProbed(system: System): Parameters<typeof resolveSystem>[1] {
  const { accelerator, gpuName, gpuGiB, hostGiB, cores, chipsPerNode } = system;
  return { accelerator, gpuName, gpuGiB, hostGiB, cores, gpuCount: chipsPerNode, hostNumaNodes: null };
}
