import { setTimeout as sleep } from 'node:timers/promises';
import { quoteCommand } from '../../core/launch/quote.ts';
import {
  failureHint,
  gitFailureKind,
  isWorthRepeating,
  type GitFailureKind,
} from '../../core/upstreams/git-failure.ts';
import { nearRefs } from '../../core/upstreams/near-refs.ts';
import { isShortCommit, type Ref } from '../../core/upstreams/source.ts';
import { SuperOffloadError } from '../../errors.ts';
import { GitError, type Git } from '../git.ts';

/** Milliseconds before the second, third and fourth attempt where the network failed. */
const defaultPausesMs = [1_000, 3_000, 9_000];

/** What the work needs of its caller; a workflow's Context with an `onLine` is one. */
export interface FetchContext {
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a relative path is relative to. */
  readonly cwd: string;
  /** Called with git's progress lines. */
  readonly onLine?: (line: string) => void;
  /** Milliseconds without any output after which git is ended; see openGit. */
  readonly idleMs?: number;
  /** Pauses before each repetition, milliseconds. */
  readonly pausesMs?: readonly number[];
}

/** Where an upstream is fetched from, found and readable. */
export interface Place {
  /** The upstream's name in messages. */
  readonly name: string;
  /** What git is given: a URL, or an absolute path. It may hold a password. */
  readonly address: string;
  /** The same without. */
  readonly shown: string;
  readonly isLocal: boolean;
}

/** Runs a command that talks to a remote again where the network failed: three times, with growing pauses. */
export async function persistently<T>(place: Place, ctx: FetchContext, work: () => Promise<T>): Promise<T> {
  const pausesMs = ctx.pausesMs ?? defaultPausesMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const pauseMs = pausesMs[attempt];
      if (pauseMs === undefined || !(error instanceof GitError) || error.isIdle) throw error;
      if (!isWorthRepeating(failureOf(error, place))) throw error;
      ctx.onLine?.(`${place.shown}: no connection; again in ${pauseMs / 1000} s`);
      await sleep(pauseMs, undefined, { signal: ctx.signal }).catch(() => undefined);
      ctx.signal.throwIfAborted();
    }
  }
}

export function failureOf(error: GitError, { isLocal }: Place): GitFailureKind {
  return gitFailureKind(error.stderr, isLocal);
}

/** What was being done, what git said, and what to do next; anything but a failure of git comes back as it is. */
export function explained(error: unknown, place: Place, what: string): unknown {
  if (!(error instanceof GitError)) return error;
  const { name, shown, isLocal, address } = place;
  const command = isLocal
    ? quoteCommand(['git', '-C', address, 'fsck'])
    : quoteCommand(['git', 'ls-remote', shown]);
  const hint = failureHint(failureOf(error, place), { shown, command, name });
  return new SuperOffloadError({
    code: 'environment',
    message: `${name}: cannot ${what} ${shown}: ${error.message}`,
    hint,
    cause: error,
  });
}

/**
 * Asks the remote which commit a branch, a tag or the beginning of a commit is.
 * @throws SuperOffloadError 'environment' with near matches where there is none.
 */
export async function resolveRef(git: Git, place: Place, ref: Ref, ctx: FetchContext): Promise<string> {
  if (ref.kind === 'commit') return ref.name;
  const ask = (patterns: readonly string[]): Promise<Map<string, string>> =>
    listRefs(git, place, patterns, ctx).catch((error: unknown) => {
      throw explained(error, place, 'read the branches of');
    });
  const names = fullNames(ref.name);
  const found = await ask(names);
  const commit = names.map((name) => found.get(name)).find((each) => each !== undefined);
  if (commit !== undefined) return commit;
  const all = await ask(['refs/heads/*', 'refs/tags/*']);
  if (isShortCommit(ref.name)) return fromShortCommit(place, ref.name, all);
  throw noSuchRef(place, ref.name, [...all.keys()]);
}

/**
 * Asks the remote for anything at all: whether it is there, and lets us in.
 * @throws SuperOffloadError 'environment' where it does not answer.
 */
export async function requireAnswer(git: Git, place: Place, ctx: FetchContext): Promise<void> {
  await listRefs(git, place, ['HEAD'], ctx).catch((error: unknown) => {
    throw explained(error, place, 'reach');
  });
}

/** A branch before a tag of the same name; a tag's commit, not the tag object; a clone's copy of a branch last. */
function fullNames(name: string): string[] {
  if (name === 'HEAD') return ['HEAD'];
  if (name.startsWith('refs/')) return [`${name}^{}`, name];
  const kinds = [`refs/heads/${name}`, `refs/tags/${name}^{}`, `refs/tags/${name}`];
  return [...kinds, `refs/remotes/origin/${name}`];
}

async function listRefs(
  git: Git,
  place: Place,
  patterns: readonly string[],
  ctx: FetchContext,
): Promise<Map<string, string>> {
  const command = ['ls-remote', '--quiet', '--end-of-options', place.address, ...patterns];
  const text = await persistently(place, ctx, () => git.run(command));
  const rows = text.split('\n').map((line) => line.split('\t'));
  return new Map(rows.flatMap(([commit = '', name = '']) => (name === '' ? [] : [[name, commit] as const])));
}

/** Only what a branch or a tag points to can be told from its beginning: a server does not say more. */
function fromShortCommit(place: Place, short: string, refs: ReadonlyMap<string, string>): string {
  const begun = [...new Set(refs.values())].filter((commit) => commit.startsWith(short.toLowerCase()));
  const [only] = begun;
  if (only !== undefined && begun.length === 1) return only;
  const problem =
    begun.length > 1 ? 'is the beginning of several commits' : 'is no branch, no tag and no head of one';
  throw new SuperOffloadError({
    code: 'environment',
    message: `${place.name}: "${short}" ${problem} of ${place.shown} (expected a commit of 40 hexadecimal digits)`,
    hint: `Give all 40 digits: --ref ${place.name}=COMMIT (git log prints them).`,
  });
}

function noSuchRef(place: Place, name: string, all: readonly string[]): SuperOffloadError {
  const known = [...new Set(all.map((each) => each.replace(/^refs\/(heads|tags)\/|\^\{\}$/g, '')))];
  const near = nearRefs(name, known);
  const expected =
    known.length === 0
      ? 'it has no branch at all'
      : `did you mean ${near.map((each) => `"${each}"`).join(', ')}?`;
  return new SuperOffloadError({
    code: 'environment',
    message: `${place.name}: ${place.shown} has no branch or tag "${name}"${known.length > 0 && near.length === 0 ? '' : `: ${expected}`}`,
    hint: `Choose another one with --ref ${place.name}=REF; ${quoteCommand(['git', 'ls-remote', place.shown])} lists them.`,
  });
}
