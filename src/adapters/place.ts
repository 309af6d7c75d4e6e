import { createHmac } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Place } from '../core/results/run-event.ts';

/** One boot of one machine; `unknown` where the kernel does not say. */
export function bootId(): string {
  return readOrNull('/proc/sys/kernel/random/boot_id') ?? 'unknown';
}

/** Where this process runs: pids mean something only within one boot and one pid namespace. */
export function thisPlace(): Place {
  return { boot: bootId(), pidNamespace: pidNamespace(), machine: machineKey() };
}

/**
 * Whether pids written at `place` can be looked up here. `ended` is this machine before it was started again:
 * nothing of then is left. A journal that names no place is of a version that knew only one machine.
 */
export function whereIs(place: Place | undefined): 'here' | 'elsewhere' | 'ended' {
  if (place === undefined) return 'here';
  const here = thisPlace();
  if (place.boot === here.boot) return place.pidNamespace === here.pidNamespace ? 'here' : 'elsewhere';
  return place.machine !== null && place.machine === here.machine ? 'ended' : 'elsewhere';
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return 'unknown';
  }
}

/**
 * Names the machine over restarts without naming it to anybody: a keyed hash, as machine-id(5) asks for. With the
 * host name, since cloned nodes share their machine-id. null where there is none, as in most containers.
 */
function machineKey(): string | null {
  const id = readOrNull('/etc/machine-id');
  if (id === null) return null;
  return createHmac('sha256', id).update(`superoffload ${hostname()}`).digest('hex').slice(0, 16);
}

function readOrNull(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text === '' ? null : text;
  } catch {
    return null;
  }
}
