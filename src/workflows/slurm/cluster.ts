import type { SlurmAccess } from '../../adapters/schedulers/slurm/tools.ts';
import { JobPoller } from '../../adapters/schedulers/slurm/poller.ts';
import { politePace, type PollPace } from '../../core/slurm/poll-pace.ts';
import type { Context } from '../context.ts';

/** Seconds between two questions to Slurm; the default is 10, and a site may want more. */
export const pollVariable = 'SUPEROFFLOAD_SLURM_POLL_SECONDS';

/** How Slurm's tools are reached by this program. */
export function accessOf(context: Context, cluster: string | null): SlurmAccess {
  return { env: context.env, cluster };
}

const pollers = new WeakMap<Context, Map<string | null, JobPoller>>();

/** The one poller of all jobs of a program, a cluster each. */
export function pollerOf(context: Context, cluster: string | null): JobPoller {
  const ofContext = pollers.get(context) ?? new Map<string | null, JobPoller>();
  pollers.set(context, ofContext);
  const known = ofContext.get(cluster);
  if (known !== undefined) return known;
  const poller = new JobPoller(accessOf(context, cluster), silenceTold(context), paceOf(context.env));
  ofContext.set(cluster, poller);
  return poller;
}

function paceOf(env: Context['env']): PollPace {
  const seconds = Number(env[pollVariable]);
  if (!Number.isFinite(seconds) || seconds <= 0) return politePace;
  const shortestMs = 1_000 * seconds;
  return {
    firstMs: Math.min(politePace.firstMs, shortestMs),
    shortestMs,
    longestMs: Math.max(shortestMs, Math.min(politePace.longestMs, 3 * shortestMs)),
  };
}

/** The jobs go on without their controller, and the questions too. */
function silenceTold(context: Context) {
  return {
    onSilence: (said: string): void => {
      context.emit({
        type: 'warning',
        message: `Slurm's controller does not answer: ${firstLine(said)}`,
        hint: 'Jobs go on without it, and their own files tell of starts and ends. It is asked again and again.',
      });
    },
    onReturn: (silentMs: number): void => {
      const message = `Slurm's controller answers again, after ${Math.round(silentMs / 1000)} s`;
      context.emit({ type: 'note', message });
    },
  };
}

/** The first line of what a tool wrote, without its name. */
export function firstLine(said: string): string {
  const [line = ''] = said.trim().split('\n');
  return line.replace(/^\w+: (?:error: )?/, '');
}
