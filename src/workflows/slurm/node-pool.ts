import { showJob } from '../../adapters/schedulers/slurm/tools.ts';
import { parseNodeList } from '../../core/slurm/node-list.ts';
import { phaseOf } from '../../core/slurm/states.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { accessOf, firstLine } from './cluster.ts';

/** Nodes of an allocation, in Slurm's order, and who has them. */
interface NodePool {
  readonly nodes: readonly string[];
  readonly taken: Set<string>;
  readonly waiting: (() => void)[];
}

/** The nodes of one run in an allocation. */
export interface TakenNodes {
  readonly names: readonly string[];
  readonly giveBack: () => void;
}

const pools = new WeakMap<Context, Map<string, Promise<NodePool>>>();

/**
 * Takes whole nodes of an allocation for one run, and waits while others have them. Named, so that the first of them
 * is known before the step begins: the ranks meet there.
 * @throws SuperOffloadError 'environment' where the allocation is gone or too small.
 */
export async function takeNodes(context: Context, allocation: string, count: number): Promise<TakenNodes> {
  const pool = await poolOf(context, allocation);
  if (count > pool.nodes.length) {
    throw new SuperOffloadError({
      code: 'environment',
      message: `allocation ${allocation} has ${pool.nodes.length} node(s), the run needs ${count}`,
      hint: 'Ask for a larger allocation, or for fewer --chips.',
    });
  }
  for (;;) {
    context.signal.throwIfAborted();
    const names = pool.nodes.filter((name) => !pool.taken.has(name)).slice(0, count);
    if (names.length === count) return taken(pool, names);
    await new Promise<void>((resolve) => {
      const go = (): void => {
        context.signal.removeEventListener('abort', go);
        resolve();
      };
      pool.waiting.push(go);
      context.signal.addEventListener('abort', go);
    });
  }
}

function taken(pool: NodePool, names: readonly string[]): TakenNodes {
  for (const name of names) pool.taken.add(name);
  let isBack = false;
  const giveBack = (): void => {
    if (isBack) return;
    isBack = true;
    for (const name of names) pool.taken.delete(name);
    for (const resolve of pool.waiting.splice(0)) resolve();
  };
  return { names, giveBack };
}

function poolOf(context: Context, allocation: string): Promise<NodePool> {
  const ofContext = pools.get(context) ?? new Map<string, Promise<NodePool>>();
  pools.set(context, ofContext);
  const known = ofContext.get(allocation);
  if (known !== undefined) return known;
  const pool = readPool(context, allocation);
  ofContext.set(allocation, pool);
  // One that could not be read is asked for again.
  pool.catch(() => ofContext.delete(allocation));
  return pool;
}

async function readPool(context: Context, allocation: string): Promise<NodePool> {
  const nodes = await allocationNodes(context, allocation);
  return { nodes, taken: new Set(), waiting: [] };
}

/**
 * The nodes of an allocation that is there.
 * @throws SuperOffloadError 'environment' where it is not, or not yet, or the controller is silent.
 */
export async function allocationNodes(context: Context, allocation: string): Promise<readonly string[]> {
  const answer = await showJob(accessOf(context, null), allocation);
  const facts = answer.ok ? answer.value : null;
  const nodes = facts === null || phaseOf(facts) !== 'running' ? undefined : parseNodeList(facts.nodes);
  if (nodes !== undefined && nodes.length > 0) return nodes;
  const why = answer.ok
    ? facts === null
      ? 'Slurm does not know it'
      : `it is ${facts.state}`
    : firstLine(answer.said);
  throw new SuperOffloadError({
    code: 'environment',
    message: `there is no allocation ${allocation} to run in: ${why}`,
    hint: 'Open one with salloc, or leave it out to have every run as a job of its own.',
  });
}
