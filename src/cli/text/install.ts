import { stackReference } from '../../core/plan/stack-reference.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { describeUpstream } from '../../core/stack/reference.ts';
import { describeStep } from '../../core/install/steps.ts';
import { upstreamNames } from '../../core/upstreams/upstream.ts';
import type { InstallReport } from '../../workflows/install/install.ts';
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
    ...sourceLines(lock),
    `  ops        ${lock.ops.built.join(', ')}  ${lock.ops.directory}`,
  ].join('\n');
}

function sourceLines(lock: StackLock): string[] {
  const { upstreams, apex } = stackReference(lock);
  const lines = upstreamNames.flatMap((name) => {
    const short = upstreams?.[name];
    const directory = lock.upstreams[name]?.directory ?? '';
    return short === undefined ? [] : [`  ${name.padEnd(9)}  ${describeUpstream(short)}  ${directory}`];
  });
  return apex === undefined || apex === null ? lines : [...lines, `  apex       ${apex}`];
}
