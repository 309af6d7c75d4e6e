import { dataFolders, pickSystem, scanSystems } from '../../adapters/experiment-data.ts';
import { probeMachine } from '../../adapters/probe/machine.ts';
import type { System } from '../../core/experiment/case.ts';
import { resolveSystem } from '../../core/experiment/system.ts';
import type { SystemFile } from '../../core/experiment/system-file.schema.ts';
import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { probedMachine } from '../machine.ts';

/** A system as a run would see it from here. */
export interface ListedSystem extends System {
  /** From ./experiment/systems and not the package's own. */
  readonly isUsers: boolean;
}

/** Every machine profile, completed with what this machine says where it leaves that open; by name. Faulty ones are
 * told of in a warning. */
export async function listSystems(ctx: Context): Promise<ListedSystem[]> {
  const { systems: catalog, faults } = scanSystems(dataFolders(ctx));
  const faulty = [...faults.values()].flat();
  if (faulty.length > 0) {
    const message = faultsError('config', faulty).message;
    ctx.emit({ type: 'warning', message, hint: 'A system of such a file cannot be used.' });
  }
  const machine = probedMachine(await probeMachine(ctx.env, ctx.signal), ctx.env);
  ctx.signal.throwIfAborted();
  return catalog
    .map((named) => ({ ...resolveSystem(named, machine, catalog), isUsers: named.isUsers }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** One of them with its file: null there is what was filled in, and `sources` says where the rest comes from. */
export interface ShownSystem {
  readonly schemaVersion: 1;
  readonly system: ListedSystem;
  readonly file: SystemFile;
}

/** @throws SuperOffloadError 'usage' where there is none of that name. */
export async function showSystem(ctx: Context, name: string): Promise<ShownSystem> {
  const scanned = scanSystems(dataFolders(ctx));
  const named = pickSystem(name, scanned, '<system>');
  const machine = probedMachine(await probeMachine(ctx.env, ctx.signal), ctx.env);
  ctx.signal.throwIfAborted();
  const system = { ...resolveSystem(named, machine, scanned.systems), isUsers: named.isUsers };
  return { schemaVersion: 1, system, file: named.file };
}
