import { readFile } from 'node:fs/promises';

/** Where the kernel counts its OOM kills, by scope; each file may be absent. */
interface OomCounters {
  readonly cgroup: number | null;
  readonly machine: number | null;
}

/** Reads the counters of this process's own cgroup (v2, then v1) and of the whole machine. */
export async function readOomCounters(): Promise<OomCounters> {
  const membership = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  const v2Path = /^0::(.*)$/m.exec(membership)?.[1];
  const v1Path = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(membership)?.[1];
  const candidates = [
    ...(v2Path === undefined ? [] : [`/sys/fs/cgroup${v2Path}/memory.events`]),
    ...(v1Path === undefined ? [] : [`/sys/fs/cgroup/memory${v1Path}/memory.oom_control`]),
  ];
  return { cgroup: await firstCount(candidates), machine: await firstCount(['/proc/vmstat']) };
}

/** Kills between two readings of the run's cgroup; the machine's count, where others die too, only without one. */
export function oomKillsBetween(before: OomCounters, after: OomCounters): number | null {
  if (before.cgroup !== null && after.cgroup !== null) return after.cgroup - before.cgroup;
  if (before.machine === null || after.machine === null) return null;
  return after.machine - before.machine;
}

async function firstCount(paths: readonly string[]): Promise<number | null> {
  for (const path of paths) {
    const match = /^oom_kill (\d+)$/m.exec(await readFile(path, 'utf8').catch(() => ''));
    if (match?.[1] !== undefined) return Number(match[1]);
  }
  return null;
}
