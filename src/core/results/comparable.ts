import { canonicalJson } from '../experiment/case-id.ts';
import type { Site, System } from '../experiment/case.ts';
import type { RunPlan, StackReference } from '../plan/run-plan.ts';
import type { RunRecord, ToolIdentity } from './record.ts';

/** What a stored run was made of, beside its case. */
type Then = Pick<RunRecord, 'system' | 'stack' | 'placement' | 'tool'>;

/** What one of now would be made of. */
interface Now extends Pick<RunPlan, 'system' | 'stack' | 'placement'> {
  readonly tool: ToolIdentity;
}

/**
 * Whether a stored run of the same case and DeepSpeed JSON says what a run of now would: the same machine, the same
 * share of it, the same software. What does not is measured anew: a wall of another machine is no wall here.
 */
export function isComparable(then: Then, now: Now): boolean {
  return (
    isSameMachine(then.system, now.system) &&
    isSameStack(then.stack, now.stack) &&
    shareOf(then) === shareOf(now) &&
    isSameTool(then.tool, now.tool)
  );
}

/** `local`, and a file that leaves something to the probe, is a different machine wherever it is asked for. */
function isSameMachine(a: System, b: System): boolean {
  return (
    a.name === b.name &&
    a.accelerator === b.accelerator &&
    a.gpuName === b.gpuName &&
    a.gpuGiB === b.gpuGiB &&
    a.chipsPerNode === b.chipsPerNode &&
    a.cores === b.cores &&
    isNear(a.hostGiB, b.hostGiB) &&
    isNear(a.hostGiBPerChip, b.hostGiBPerChip) &&
    siteOf(a) === siteOf(b)
  );
}

/** Network variables and modules decide speed as much as the machine does. */
function siteOf(system: System): string {
  // Records of before systems had sites.
  const site = system.site as Site | undefined;
  return canonicalJson([site?.setup ?? [], site?.env ?? {}]);
}

/** MemTotal moves by a little from boot to boot. */
function isNear(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a === b;
  return Math.abs(a - b) <= 0.02 * Math.max(a, b);
}

/** A stack that was changed since its lock is another one. */
function isSameStack(a: StackReference | null, b: StackReference | null): boolean {
  const drift = (stack: StackReference | null): string => JSON.stringify(stack?.drift ?? []);
  return a?.hash === b?.hash && drift(a) === drift(b);
}

/** `--exclusive-host` gives a run other walls, and binding another speed. Older records do not say. */
function shareOf({ placement }: Pick<RunRecord, 'placement'>): string {
  const { exclusiveHost = false, binding = 'none', hostNumaNodes = null } = placement ?? {};
  return JSON.stringify([exclusiveHost, binding, hostNumaNodes]);
}

/** The built-in trainer is part of this tool: another commit may take other memory. null: not known, as in a package. */
function isSameTool(a: ToolIdentity | null, b: ToolIdentity): boolean {
  if (a === null || a.version !== b.version) return false;
  return a.commit === null || b.commit === null || a.commit === b.commit;
}
