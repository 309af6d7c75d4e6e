import { loadavg } from 'node:os';
import { readFile, statfs } from 'node:fs/promises';
import { GpuMonitor } from '../../adapters/monitor/gpu.ts';
import { HostMemoryMonitor, type HostMemoryPeaks } from '../../adapters/monitor/host-memory.ts';
import { oomKillsBetween, readOomCounters } from '../../adapters/monitor/oom-kills.ts';
import { probeMemory } from '../../adapters/probe/machine.ts';
import type { HostMemoryFacts } from '../../core/machine/facts.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { plannedEnd, type Observation } from './observation.ts';
import type { MemoryNow } from './run-progress.ts';

const bytesPerGiB = 2 ** 30;

/** Watches the machine beside a run. Everything it cannot read is null, never a guess. */
export class RunMonitor {
  readonly #plan: RunPlan;
  readonly #memory: HostMemoryMonitor;
  readonly #gpu: GpuMonitor | null;
  #oomBefore: Awaited<ReturnType<typeof readOomCounters>> = { cgroup: null, machine: null };
  #loadBefore: number | null = null;
  #runningBefore: number | null = null;

  constructor(plan: RunPlan, runId: string, env: Readonly<Record<string, string | undefined>>) {
    this.#plan = plan;
    // The built-in trainer reports its own peak; walking the page tables twice would only disturb it.
    this.#memory = new HostMemoryMonitor(runId, plan.workload !== 'builtin');
    this.#gpu = plan.system.accelerator === 'cuda' ? new GpuMonitor(env, plan.worldSize) : null;
  }

  async start(): Promise<void> {
    this.#loadBefore = loadavg()[0] ?? null;
    this.#runningBefore = await runningTasks();
    this.#oomBefore = await readOomCounters();
    await this.#memory.start();
    this.#gpu?.start();
  }

  /** The newest figures, at no cost. */
  readonly memoryNow = (): MemoryNow => ({
    hostGiB: this.#memory.machineNowGiB,
    gpuGiB: this.#gpu?.usedGiB ?? null,
  });

  async stop(): Promise<Observation> {
    const [peaks, gpu, oomAfter] = await Promise.all([
      this.#memory.stop(),
      this.#gpu?.stop() ?? null,
      readOomCounters(),
    ]);
    return {
      exit: {
        oomKills: oomKillsBetween(this.#oomBefore, oomAfter),
        peakHostGiB: peakForLimit(peaks, this.#plan.system.hostGiB, probeMemory()),
        shmFreeBytes: await freeBytes('/dev/shm'),
        ...plannedEnd(this.#plan),
      },
      conditions: {
        loadAverageBefore: this.#loadBefore,
        loadAverageAfter: loadavg()[0] ?? null,
        runningTasksBefore: this.#runningBefore,
        gpu,
      },
      memory: { sampledHostGiB: peaks.runGiB, machineGiB: peaks.machineGiB },
    };
  }
}

/**
 * The peak that may be held against the host's limit. The whole machine's use stands in for the run's only where
 * the limit is the whole machine's memory: against a cgroup's limit it would prove what never happened.
 */
export function peakForLimit(
  peaks: Pick<HostMemoryPeaks, 'runGiB' | 'machineTotalGiB'>,
  limitGiB: number | null,
  memory: Pick<HostMemoryFacts, 'source' | 'totalBytes'>,
): number | null {
  if (peaks.runGiB !== null) return peaks.runGiB;
  if (limitGiB === null) return peaks.machineTotalGiB;
  const isWholeMachine = memory.source === 'MemTotal' && limitGiB * bytesPerGiB >= 0.95 * memory.totalBytes;
  return isWholeMachine ? peaks.machineTotalGiB : null;
}

async function freeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** The first number of the fourth field of /proc/loadavg (proc(5)), less this very process. */
async function runningTasks(): Promise<number | null> {
  const text = await readFile('/proc/loadavg', 'utf8').catch(() => '');
  const running = /^\S+ \S+ \S+ (\d+)\//.exec(text)?.[1];
  return running === undefined ? null : Math.max(0, Number(running) - 1);
}
