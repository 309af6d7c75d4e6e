import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileErrors } from '../../adapters/files.ts';
import { stackPaths } from '../../adapters/stack/store.ts';
import { hostFaults, hostNotes, sameMachineFaults } from '../../core/launch/host-faults.ts';
import type { HostfileSchedule } from '../../core/launch/schedule.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { askHosts } from './ask-hosts.ts';
import { buildHostOps } from './host-ops.ts';
import { masterAddressOf } from './master-address.ts';

export interface HostsRequest {
  readonly schedule: HostfileSchedule;
  /** null where the run is a command of the user's. */
  readonly stack: StackLock | null;
  readonly accelerator: 'cuda' | 'cpu';
  /** Where run folders are made, absolute: all hosts must see it. */
  readonly runsFolder: string;
  /** Programs that ranks are started by, `numactl`. */
  readonly tools?: readonly string[];
}

export interface ReadyHosts {
  /** With the address of the first host as the others reach it. */
  readonly schedule: HostfileSchedule;
  readonly notes: readonly string[];
}

/**
 * Looks at every host that a run is to take place on, all at once, before anything is started: reachable by ssh without
 * a question; the state folder there, and writable; this superoffload, the same stack by its lock, and its Python; free
 * GPUs; the tools. Then the address at which the others reach the first, and the ops for CPUs of another kind.
 * @throws SuperOffloadError 'environment' with every fault of every host.
 */
export async function requireHosts(context: Context, request: HostsRequest): Promise<ReadyHosts> {
  const { schedule, stack, runsFolder } = request;
  const lock = stack === null ? null : stackPaths(context.home, stack.name).lock;
  const question = {
    files: stack === null ? [] : [join(context.packageRoot, 'experiment', 'trainer', 'train.py')],
    stack: stack === null || lock === null ? null : { python: stack.python.path, lock },
    gpus: request.accelerator === 'cuda',
    tools: request.tools ?? [],
  };
  const { asked, faults } = await askHosts(context, schedule.hosts, runsFolder, question);
  const wish = {
    question: { ...question, tokenFolder: runsFolder },
    ranksPerNode: schedule.layout.ranksPerNode,
    lockSha256: lock === null ? null : await sha256Of(lock),
  };
  const all = [
    ...faults,
    ...asked.flatMap((host) => hostFaults(host, wish)),
    ...sameMachineFaults(asked, wish),
  ];
  if (all.length > 0) throw faultsError('environment', all);
  const masterAddress = await masterAddressOf(context, asked, stack?.python.path ?? null);
  if (stack !== null) await buildHostOps(context, asked, stack);
  return { schedule: { ...schedule, masterAddress }, notes: hostNotes(asked) };
}

async function sha256Of(path: string): Promise<string> {
  const bytes = await withFileErrors(path, () => readFile(path));
  return createHash('sha256').update(bytes).digest('hex');
}
