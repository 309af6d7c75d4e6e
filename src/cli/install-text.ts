import { describeStep } from '../core/stack/steps.ts';
import type { InstallReport } from '../workflows/install.ts';
import { formatDuration } from './format.ts';

/** What `install` says at the end, for a person. */
export function installText({ state, steps, lock, elapsedMs }: InstallReport): string {
  if (lock === null) {
    const lines = steps.map((step, index) => `${index + 1}. ${step.title}\n   ${describeStep(step)}`);
    return [`${steps.length} steps, then the lock is written:`, ...lines].join('\n');
  }
  const cuda = lock.torch.cuda === null ? 'without CUDA' : `CUDA ${lock.torch.cuda}`;
  const what = state === 'ready' ? 'is ready, nothing to do' : `is ready (${formatDuration(elapsedMs)})`;
  return [
    `stack ${lock.name} ${what}`,
    `  python     ${lock.python.version}  ${lock.python.path}`,
    `  torch      ${lock.torch.version} (${cuda}), accelerator ${lock.accelerator}`,
    `  DeepSpeed  ${lock.deepspeed.version}`,
    `  ops        ${lock.ops.built.join(', ')}  ${lock.ops.directory}`,
  ].join('\n');
}
