import type { ModeName } from '../experiment/case.ts';
import type { JsonObject } from './modes/mode.ts';
import { objectAt, runsOverlap, runsSuperOffload, type SuperOffloadSwitch } from './super-offload.ts';

/** What decides which mode a JSON is of, beside the JSON. */
export interface ModeReading {
  readonly superOffload: SuperOffloadSwitch;
  /** Ranks that share a sequence: above 1 a mode of Ulysses is likelier than the same offloading without. */
  readonly sequenceParallel: number;
}

/** The modes that a DeepSpeed JSON may be called, by what it offloads, the likeliest first; none for stage 1, NVMe, ZenFlow. */
export function modesOfConfig(config: JsonObject, reading: ModeReading): readonly ModeName[] {
  const zero = objectAt(config, 'zero_optimization');
  const optimizer = offloadDevice(zero, 'offload_optimizer');
  const parameters = offloadDevice(zero, 'offload_param');
  if (parameters === 'nvme' || optimizer === 'nvme') return [];
  // ZenFlow steps by an optimizer of its own, and weights alone on the CPU are no mode here.
  if ((zero['zenflow'] ?? null) !== null) return [];
  const likelier = (alone: ModeName, sharing: ModeName): readonly ModeName[] =>
    reading.sequenceParallel > 1 ? [sharing, alone] : [alone, sharing];
  if (runsOverlap(config)) return parameters === 'cpu' ? [] : ['prism_overlap'];
  switch (zero['stage'] ?? 0) {
    case 0:
      return ['ddp'];
    case 2:
      return optimizer === 'cpu' ? ['zero_offload'] : ['zero_2'];
    case 3:
      if (isSuperOffload(config, reading)) {
        return parameters === 'cpu' ? likelier('prism', 'prism_ulysses') : ['prism'];
      }
      if (optimizer !== 'cpu') return parameters === 'cpu' ? [] : likelier('zero_3', 'ulysses');
      return parameters === 'cpu' ? ['zero_infinity_param'] : ['zero_infinity'];
    default:
      return [];
  }
}

/** DeepSpeed still reads the two booleans of old (runtime/zero/config.py). */
const oldSwitches = { offload_optimizer: 'cpu_offload', offload_param: 'cpu_offload_param' } as const;

/** Where a JSON's `zero_optimization` offloads its optimizer or its weights to; undefined where it does not. */
export function offloadDevice(zero: JsonObject, section: keyof typeof oldSwitches): unknown {
  return objectAt(zero, section)['device'] ?? (zero[oldSwitches[section]] === true ? 'cpu' : undefined);
}

/** Where it has no key of its own, the share that stays on the GPU tells it from the artifact's ZeRO-Infinity. */
function isSuperOffload(config: JsonObject, { superOffload }: ModeReading): boolean {
  if (!runsSuperOffload(config, superOffload)) return false;
  const optimizer = objectAt(objectAt(config, 'zero_optimization'), 'offload_optimizer');
  return superOffload === 'key' || optimizer['ratio'] !== undefined;
}
