/** What an earlier install was told about upstreams, where this one is told nothing. */
import { artifactVariables, type UpstreamFlags } from './choice.ts';
import type { UpstreamName } from './upstream.ts';

export interface RecalledSources {
  /** `NAME=URL|PATH` and `NAME=REF`, as the flags would have them. */
  readonly sources: readonly string[];
  readonly refs: readonly string[];
  readonly names: readonly UpstreamName[];
  readonly notes: readonly string[];
}

/**
 * A stack that was made from a mirror or a checkout stays so: without this, `--reinstall` would silently take the
 * pinned repository in its place. A new source brings no old ref along, as the ref may not be there.
 * @param before what the stack that is there was asked for.
 */
export function recallSources(
  names: readonly UpstreamName[],
  { sources, refs, env }: UpstreamFlags,
  before: Readonly<Record<'sources' | 'refs', Readonly<Partial<Record<UpstreamName, string>>>>>,
): RecalledSources {
  const says = (flags: readonly string[], name: string): boolean =>
    flags.some((flag) => flag.startsWith(`${name}=`));
  const untold = names.filter(
    (name) =>
      !says(sources, name) && !artifactVariables[name].some((variable) => (env[variable] ?? '') !== ''),
  );
  const found = { sources: [] as string[], refs: [] as string[], notes: [] as string[] };
  const recalled = untold.filter((name) => {
    const source = before.sources[name];
    const ref = says(refs, name) ? undefined : before.refs[name];
    if (source !== undefined) found.sources.push(`${name}=${source}`);
    if (ref !== undefined) found.refs.push(`${name}=${ref}`);
    if (source === undefined && ref === undefined) return false;
    const what = [
      ...(source === undefined ? [] : [`from ${source}`]),
      ...(ref === undefined ? [] : [`at ${ref}`]),
    ];
    found.notes.push(
      `${name}: ${what.join(' ')}, as this stack was installed (--source and --ref say otherwise)`,
    );
    return true;
  });
  return { ...found, names: recalled };
}
