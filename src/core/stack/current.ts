/** Is an installed stack still the right one? */
import type { MachineFacts } from '../machine/facts.ts';
import { versionOrder } from './version.ts';
import type { StackLock, StackRequest } from './lock.ts';

/**
 * @returns what differs between the installed stack and what is asked for; a flag that was not given asks for nothing.
 * Replacing gigabytes is left to --reinstall.
 */
export function describeConflict(
  lock: StackLock,
  request: StackRequest,
): { readonly message: string; readonly hint: string } | undefined {
  const differences = [
    differs(request.torch, lock.torch.version)
      ? `torch ${lock.torch.version}, not ${request.torch ?? ''}`
      : '',
    differs(request.deepspeed, lock.deepspeed.version)
      ? `DeepSpeed ${lock.deepspeed.version}, not ${request.deepspeed ?? ''}`
      : '',
    request.python !== null && request.python !== lock.request.python
      ? `${lock.origin === 'private' ? 'its own Python' : `Python ${lock.request.python ?? ''}`}, not ${request.python}`
      : '',
    request.python !== null && request.overlay !== lock.request.overlay
      ? `${lock.request.overlay ? 'an' : 'no'} overlay`
      : '',
  ].filter((text) => text !== '');
  if (differences.length === 0) return undefined;
  return {
    message: `stack ${lock.name} is installed with ${differences.join('; ')}`,
    hint: 'to replace it, add --reinstall; to use it as it is, leave the flag out',
  };
}

function differs(wanted: string | null, actual: string): boolean {
  return wanted !== null && versionOrder(wanted, actual) !== 0;
}

/** False after a move to another CPU (the ops are -march=native) or when a GPU came or went. */
export function isCurrent(lock: StackLock, machine: MachineFacts, accelerator: 'cuda' | 'cpu'): boolean {
  return lock.accelerator === accelerator && lock.ops.key.split('-').includes(machine.cpu.isa);
}
