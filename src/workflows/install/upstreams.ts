import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withFileErrors } from '../../adapters/files.ts';
import { revertTree } from '../../adapters/patches/engine.ts';
import { inspectPython } from '../../adapters/probe/python.ts';
import { installMark } from '../../adapters/stack/leftovers.ts';
import { fetchSource, type SourceTree } from '../../adapters/upstreams/checkout.ts';
import { lookAtSource } from '../../adapters/upstreams/look.ts';
import { stackPaths } from '../../adapters/stack/store.ts';
import type { PatchFacts } from '../../core/patches/series.ts';
import type { PatchState } from '../../core/patches/state.ts';
import type { StackLock, UpstreamLock } from '../../core/stack/lock.ts';
import type { InstallStep } from '../../core/install/steps.ts';
import type { UpstreamChoice } from '../../core/upstreams/choice.ts';
import type { UpstreamName } from '../../core/upstreams/upstream.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { applySeries } from '../patch/patch.ts';
import { gitOptions, seriesFit } from '../patch/series.ts';
import { upstreamTree } from '../patch/stack.ts';
import { asTask } from '../task.ts';

type FetchStep = Extract<InstallStep, { kind: 'source' }>;
type PatchStep = Extract<InstallStep, { kind: 'patch' }>;

interface Installed {
  readonly torch: { readonly version: string; readonly cuda: string | null } | null;
  /** null where none is installed, or none yet. */
  readonly deepspeed: string | null;
  readonly problem: string | null;
}

interface PythonRequest {
  readonly python: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Looks at every source before the stack that may be there is touched: a mistyped path must not cost a working one.
 * @throws SuperOffloadError 'environment' as the fetch itself would, minutes later.
 */
export async function requireSources(
  ctx: Context,
  stack: string,
  choices: readonly UpstreamChoice[],
): Promise<void> {
  // Whether Apex is fetched at all is not decided yet.
  const needed = choices.filter(({ name }) => name !== 'apex');
  if (needed.length === 0) return;
  const paths = stackPaths(ctx.home, stack);
  const title = `look at ${needed.map(({ source }) => source.shown).join(' and ')}`;
  await asTask(ctx, { id: 'sources', title }, async ({ line }) => {
    const env = { ...ctx.env, [installMark]: paths.directory };
    const look = { signal: ctx.signal, env, cwd: ctx.cwd, onLine: line };
    for (const choice of needed) {
      const request = { ...choice, directory: join(paths.sources, choice.name) };
      await lookAtSource(request, paths.directory, look);
    }
  });
}

/** The upstreams of one install: fetches them, patches them, and knows at the end what the lock says of them. */
export class UpstreamInstall {
  readonly #ctx: Context;
  /** Known before Megatron is patched. */
  apex: StackLock['apex'] = null;
  readonly #trees = new Map<UpstreamName, { readonly directory: string; readonly tree: SourceTree | null }>();
  readonly #patches = new Map<UpstreamName, PatchState>();
  #installed: Installed | undefined;

  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  /** @throws SuperOffloadError 'environment': the remote, the ref, the disk; or the signal's reason. */
  async fetch({ choice, directory }: FetchStep, onLine: (line: string) => void): Promise<void> {
    const ctx = this.#ctx;
    // A patched tree counts as changed, and a changed one is put aside: our own changes are taken out first. Where
    // that cannot be done the user has changed a patched file, and putting it aside is right.
    if (existsSync(directory)) {
      await revertTree(directory, { ...gitOptions(ctx), isDryRun: false, onStep: onLine }).catch(
        (error: unknown) => {
          ctx.signal.throwIfAborted();
          if (!(error instanceof SuperOffloadError)) throw error;
        },
      );
    }
    const request = { ...choice, directory };
    // After kill -9 of the tool its git would go on writing beside the next install's.
    const env = { ...ctx.env, [installMark]: dirname(dirname(directory)) };
    const tree = await fetchSource(request, { signal: ctx.signal, env, cwd: ctx.cwd, onLine });
    for (const message of tree.notes) ctx.emit({ type: 'note', message });
    this.#trees.set(choice.name, { directory, tree });
  }

  /**
   * Applies the series; a package of another version than the series is made for stays as it was published.
   * @throws SuperOffloadError 'environment' where a patch does not apply, 'config' for a damaged series.
   */
  async patch({ upstream, tree }: PatchStep, python: PythonRequest): Promise<void> {
    const ctx = this.#ctx;
    const torch = await this.torch(python);
    const deepspeed = await this.#deepspeed(python);
    const commit = this.#trees.get(upstream)?.tree?.commit ?? null;
    const version = commit === null ? deepspeed : null;
    const apex = this.apex?.kind ?? null;
    const facts: PatchFacts = { torch: torch.version, deepspeed, commit, version, apex };
    const { fit, versions } = await seriesFit(ctx, upstream, facts);
    if (fit === 'none' || (fit === 'unlisted' && commit === null)) {
      const what = `${upstream} ${version ?? commit?.slice(0, 12) ?? ''}`;
      if (fit !== 'none') {
        ctx.emit({
          type: 'note',
          message: `${what} stays as published: the patches are for ${versions}`,
        });
      }
      return;
    }
    this.#patches.set(upstream, await applySeries(ctx, { upstream, tree, facts }));
    if (!this.#trees.has(upstream)) this.#trees.set(upstream, { directory: tree, tree: null });
  }

  /** What the lock says; called when everything is in place. */
  async locks(): Promise<StackLock['upstreams']> {
    const locks: Partial<Record<UpstreamName, UpstreamLock>> = {};
    for (const [name, { directory, tree }] of this.#trees) {
      const of = {
        url: tree?.url ?? null,
        ref: tree?.ref ?? null,
        commit: tree?.commit ?? null,
        version: tree === null ? (this.#installed?.deepspeed ?? null) : null,
        directory,
        dirtyDiffSha256: tree?.dirtyDiffSha256 ?? null,
        patches: this.#patches.get(name) ?? null,
      };
      locks[name] = { ...of, tree: await upstreamTree(of) };
    }
    return locks;
  }

  /**
   * A work tree says its own version: Python imports it only after it was patched, and may have another one until then.
   * @throws SuperOffloadError 'install' where there is no DeepSpeed.
   */
  async #deepspeed(python: PythonRequest): Promise<string> {
    const source = this.#trees.get('deepspeed');
    if (source !== undefined && source.tree !== null) {
      const file = join(source.directory, 'version.txt');
      return withFileErrors(file, async () => (await readFile(file, 'utf8')).trim());
    }
    this.#installed ??= await this.#inspect(python);
    if (this.#installed.deepspeed !== null) return this.#installed.deepspeed;
    throw incomplete(python.python, 'DeepSpeed', null);
  }

  /** @throws SuperOffloadError 'install' where the stack has no torch. */
  async torch(python: PythonRequest): Promise<NonNullable<Installed['torch']>> {
    const torch = await this.torchIfAny(python);
    if (torch !== null) return torch;
    throw incomplete(python.python, 'torch', this.#installed?.problem ?? null);
  }

  /** @returns the torch of the stack, as its Python finds it once the packages are in place: asked once an install. */
  async torchIfAny(python: PythonRequest): Promise<Installed['torch']> {
    this.#installed ??= await this.#inspect(python);
    return this.#installed.torch;
  }

  /** Versions as Python finds them: those of an open resolution and of a repository are known only now. */
  async #inspect({ python, env }: PythonRequest): Promise<Installed> {
    const program = join(this.#ctx.packageRoot, 'experiment/stacks/inspect_python.py');
    const { facts, problem } = await inspectPython(python, { env, program, withPackages: true });
    return { torch: facts?.torch ?? null, deepspeed: facts?.packages['deepspeed'] ?? null, problem };
  }
}

function incomplete(python: string, what: string, problem: string | null): SuperOffloadError {
  const message = `${python} has no ${what} (${problem ?? 'as it says'})`;
  return new SuperOffloadError({ code: 'install', message, hint: 'superoffload install --reinstall' });
}
