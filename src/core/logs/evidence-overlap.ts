/** What the overlay of patches/deepspeed says before it ends a run. */
import { rule, type EvidenceRule } from './evidence-rule.ts';

export const overlapEvidence: readonly EvidenceRule[] = [
  rule(
    'host_oom',
    /superoffload: [\d.]+ GiB of host memory could not be registered/,
    ['of host memory could not be registered'],
    'host_memory.py',
  ),
  // The thread that steps: what it died of stands above the line, and in it.
  rule(
    'worker_dead',
    /superoffload: the (?:CPU optimizer (?:failed: |has done nothing for )|thread of the CPU optimizer has ended)/,
    ['superoffload: the '],
    'overlap/stepper.py',
  ),
  rule(
    'config_error',
    /^ValueError: superoffload(?:\.\w+)?(?:: (?:unknown; known are |expected )| "\w+" (?:does not work with|adds gradients up in|is for|and DS_PIN_MEMORY_BACKEND=native both say) )/,
    ['ValueError: superoffload'],
    'refusals.py, host_offload, settings.py',
  ),
  rule(
    'install_error',
    /^RuntimeError: superoffload: .* could not build /,
    ['RuntimeError: superoffload: '],
    'overlap/adam.py',
  ),
];
