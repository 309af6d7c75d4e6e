import type { Fault } from '../../errors.ts';
import { versionOrder } from '../stack/version.ts';
import { newestKnown, overlaySection } from './known-keys.ts';
import { offloadDevice } from './mode-of-config.ts';
import type { JsonObject } from './modes/mode.ts';
import { objectAt, runsOverlap } from './super-offload.ts';

/** Read by the overlap optimizer alone, and by ZeRO-2's fused casts too (patches/deepspeed, settings.py). */
const ofOverlap = [
  'subgroup_elements',
  'speculation',
  'pin_memory',
  'copy_streams',
  'fused_casts',
  'early_return',
  'early_forward',
  'stall_seconds',
];
const ofAdam = ['adam_threads', 'bind_threads'];

/** The first DeepSpeed that has what a choice is hooked to: docs/patches.md, "Versions". */
const since = [
  { key: 'host_memory', choice: 'registered', version: '0.19.6' },
  { key: 'casts', choice: 'fused', version: '0.19.8' },
];

/**
 * What the section `superoffload` of a JSON asks for in vain: DeepSpeed would refuse it after its start, or ignore it.
 * @param deepspeed the version of the stack.
 */
export function ownSectionFaults(
  config: JsonObject,
  place: string,
  deepspeed: string = newestKnown,
): Fault[] {
  const section = objectAt(config, overlaySection);
  const overlap = runsOverlap(config);
  const fused = section['casts'] === 'fused';
  const vain = (keys: readonly string[], isRead: boolean, expected: string): Fault[] =>
    keys
      .filter((key) => key in section && !isRead)
      .map((key) => ({
        place: `${place} /${overlaySection}/${key}`,
        problem: 'has no effect here',
        expected,
      }));
  return [
    ...castsFaults(config, fused, place),
    ...versionFaults(section, place, deepspeed),
    ...vain(
      section['host_memory'] === 'registered' ? ['host_memory'] : [],
      pins(config),
      'a mode that keeps something on the CPU',
    ),
    ...vain(ofOverlap, overlap, '--mode prism_overlap'),
    ...vain(ofAdam, overlap || fused, '--mode prism_overlap, or --ds superoffload.casts=fused'),
  ];
}

function versionFaults(section: JsonObject, place: string, deepspeed: string): Fault[] {
  return since
    .filter(({ key, choice, version }) => section[key] === choice && versionOrder(deepspeed, version) < 0)
    .map(({ key, choice, version }) => ({
      place: `${place} /${overlaySection}/${key}`,
      problem: `${choice} needs DeepSpeed ${version} or later, and the stack has ${deepspeed}`,
    }));
}

function castsFaults(config: JsonObject, fused: boolean, place: string): Fault[] {
  const zero = objectAt(config, 'zero_optimization');
  if (!fused || (zero['stage'] === 2 && offloadDevice(zero, 'offload_optimizer') === 'cpu')) return [];
  const expected = runsOverlap(config)
    ? 'nothing: prism_overlap casts in Adam itself (superoffload.fused_casts)'
    : '--mode zero_offload';
  const problem = 'is for ZeRO-2 with its optimizer on the CPU';
  return [{ place: `${place} /${overlaySection}/casts`, problem, expected }];
}

function pins(config: JsonObject): boolean {
  const zero = objectAt(config, 'zero_optimization');
  return offloadDevice(zero, 'offload_optimizer') === 'cpu' || offloadDevice(zero, 'offload_param') === 'cpu';
}
