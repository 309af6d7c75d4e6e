/** A resolved requirements file, as `uv pip compile --generate-hashes` writes it. */
import { markerHolds } from './markers.ts';
import type { MarkerEnvironment } from './markers.ts';

export interface Requirement {
  readonly name: string;
  readonly version: string;
  readonly marker: string | null;
  /** `sha256:...` of every file of this version. */
  readonly hashes: readonly string[];
  /** The packages that asked for it. */
  readonly via: readonly string[];
}

/** Names compare as the package index compares them (PEP 503). */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** @returns the requirements that hold on this Python and platform, in file order. */
export function parseRequirements(text: string, environment: MarkerEnvironment): Requirement[] {
  const blocks = text.split(/\n(?=[A-Za-z0-9])/);
  return blocks.flatMap((block) => {
    const head = /^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)(?:\s*;\s*([^\\\n]+?))?\s*(?:\\|$)/m.exec(block);
    if (head?.[1] === undefined || head[2] === undefined) return [];
    const marker = head[3]?.trim() ?? null;
    if (marker !== null && !markerHolds(marker, environment)) return [];
    const notes = /# via([\s\S]*)$/.exec(block)?.[1] ?? '';
    return {
      name: normalName(head[1]),
      version: head[2],
      marker,
      hashes: [...block.matchAll(/--hash=(\S+)/g)].flatMap((match) => match[1] ?? []),
      via: [...notes.matchAll(/^[ #]*([A-Za-z0-9][\w.-]*)\s*$/gm)].map((match) => normalName(match[1] ?? '')),
    };
  });
}

/** @returns `roots` and everything they need, by the file's own `via` notes. */
function closureOf(roots: readonly string[], requirements: readonly Requirement[]): Requirement[] {
  const wanted = new Set(roots);
  for (let size = 0; size !== wanted.size;) {
    size = wanted.size;
    for (const { name, via } of requirements) if (via.some((parent) => wanted.has(parent))) wanted.add(name);
  }
  return requirements.filter(({ name }) => wanted.has(name));
}

/**
 * What DeepSpeed and torch's extension loader need and `installed` lacks. torch itself and what only torch needs
 * are never listed: an environment without torch is not one to build on.
 */
export function missingPackages(
  requirements: readonly Requirement[],
  installed: Readonly<Record<string, string>>,
): Requirement[] {
  const present = new Set(Object.keys(installed).map(normalName));
  const direct = requirements.filter(
    ({ name, via }) => name === 'deepspeed' || name === 'setuptools' || via.includes('deepspeed'),
  );
  const absent = direct.filter(({ name }) => name !== 'torch' && !present.has(name)).map(({ name }) => name);
  const withoutTorch = requirements.filter(({ name }) => name !== 'torch');
  return closureOf(absent, withoutTorch).filter(({ name }) => !present.has(name));
}

/** @returns requirements text; hashes are left out where files may come from elsewhere than the index. */
export function renderRequirements(requirements: readonly Requirement[], withHashes: boolean): string {
  const lines = requirements.map(({ name, version, hashes }) =>
    [`${name}==${version}`, ...(withHashes ? hashes.map((hash) => `--hash=${hash}`) : [])].join(' \\\n    '),
  );
  return `${lines.join('\n')}\n`;
}

/**
 * Replaces torch and DeepSpeed by versions the user asked for. The rest of the resolution belongs to the versions
 * of the file, so only what this tool itself needs is kept, and the installer resolves anew.
 */
export function withVersions(
  requirements: readonly Requirement[],
  versions: { readonly torch: string | null; readonly deepspeed: string | null },
): { readonly requirements: Requirement[]; readonly isResolved: boolean } {
  const same = (name: string, version: string | null): boolean =>
    version === null || requirements.some((entry) => entry.name === name && entry.version === version);
  if (same('torch', versions.torch) && same('deepspeed', versions.deepspeed)) {
    return { requirements: [...requirements], isResolved: true };
  }
  const kept = requirements.filter(({ name }) =>
    ['torch', 'deepspeed', 'ninja', 'setuptools', 'wheel'].includes(name),
  );
  const changed = kept.map((entry) => {
    const version =
      entry.name === 'torch' ? versions.torch : entry.name === 'deepspeed' ? versions.deepspeed : null;
    return version === null ? entry : { ...entry, version, hashes: [] };
  });
  return { requirements: changed, isResolved: false };
}
