/** Which files a package was installed from, as far as its own metadata proves it. */
import type { RecordLine } from './manifest.ts';
import { normalName } from '../install/requirements.ts';
import type { Requirement } from '../install/requirements.ts';

export interface WheelFacts {
  readonly version: string;
  /**
   * sha256, in hex, over path and digest of every file that the package brought, from its RECORD: equal on every
   * machine that has the same wheel, whatever installed it. null for a package without a RECORD.
   */
  readonly content: string | null;
  /**
   * `sha256:...` of the file that was downloaded, only where it is certain: no installer writes it down for a file of
   * the index, so it is known when `direct_url.json` says it, or when the checked requirements allow one file only.
   */
  readonly file: string | null;
  /** `uv`, `pip`, `conda`: who wrote the RECORD. */
  readonly installer: string | null;
}

/**
 * Lines that the installer adds: they differ from machine to machine, as the scripts outside of the folder do, which
 * begin with the path of their Python.
 */
const addedLine =
  /(^|\/)[^/]+\.dist-info\/(INSTALLER|REQUESTED|RECORD|direct_url\.json|uv_build\.json|uv_cache\.json)$/;

/** @returns the text that `content` is taken over. */
export function wheelContentText(lines: readonly RecordLine[]): string {
  return lines
    .filter(({ path }) => !addedLine.test(path) && !path.startsWith('../') && !path.endsWith('.pyc'))
    .map(({ path, digest }) => `${path}\0${digest}\n`)
    .sort()
    .join('');
}

/**
 * @param directUrl content of direct_url.json, null without one.
 * @param accepted requirements whose hashes the installer checked; none when it checked nothing.
 */
export function wheelFile(
  { name, version }: { readonly name: string; readonly version: string },
  directUrl: unknown,
  accepted: readonly Requirement[],
): string | null {
  const info = (
    directUrl as { readonly archive_info?: { readonly hashes?: { readonly sha256?: unknown } } } | null
  )?.archive_info;
  const direct = info?.hashes?.sha256;
  if (typeof direct === 'string') return `sha256:${direct}`;
  const hashes = accepted.find((each) => each.name === normalName(name) && each.version === version)?.hashes;
  return hashes?.length === 1 ? (hashes[0] ?? null) : null;
}
