/**
 * Which files may hold this process's memory limit. A limit of any ancestor binds, so all levels are listed.
 * Formats: Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
 */

export interface LimitFile {
  readonly path: string;
  readonly source: 'cgroup v2' | 'cgroup v1';
}

/** @param procCgroup text of /proc/self/cgroup. @returns limit files from the process's own group up to the root. */
export function memoryLimitFiles(procCgroup: string): LimitFile[] {
  return procCgroup.split('\n').flatMap((line) => {
    const [id, controllers, ...rest] = line.split(':');
    const group = rest.join(':');
    if (id === '0' && controllers === '') {
      return ancestors(group).flatMap((level): LimitFile[] => [
        { path: `/sys/fs/cgroup${level}/memory.max`, source: 'cgroup v2' },
        { path: `/sys/fs/cgroup/unified${level}/memory.max`, source: 'cgroup v2' },
      ]);
    }
    if (controllers?.split(',').includes('memory') !== true) return [];
    return ancestors(group).map((level): LimitFile => ({
      path: `/sys/fs/cgroup/memory${level}/memory.limit_in_bytes`,
      source: 'cgroup v1',
    }));
  });
}

/** `/a/b` -> `/a/b`, `/a`, ``. In a container the path may be the host's: files that are absent are skipped. */
function ancestors(group: string): string[] {
  const parts = group.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, up) =>
    parts
      .slice(0, parts.length - up)
      .map((part) => `/${part}`)
      .join(''),
  );
}

/** v2 says `max`, v1 a number near 2^63, when there is no limit. @returns bytes, or undefined for no limit. */
export function parseLimit(text: string): number | undefined {
  const value = Number(text.trim());
  return Number.isFinite(value) && value > 0 && value < 2 ** 60 ? value : undefined;
}
