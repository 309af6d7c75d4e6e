/** Git LFS, as its specification (docs/spec.md of git-lfs) and its client's messages have it. */

export interface LfsPointer {
  readonly sha256: string;
  readonly bytes: number;
}

/** @returns null where the text is no pointer. */
export function parsePointer(text: string): LfsPointer | null {
  if (!text.startsWith('version https://git-lfs')) return null;
  const sha256 = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1];
  const bytes = /^size (\d+)$/m.exec(text)?.[1];
  return sha256 === undefined || bytes === undefined ? null : { sha256, bytes: Number(bytes) };
}

/** Where the client keeps an object below its storage folder. */
export function objectPath(sha256: string): string {
  return `objects/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`;
}

/** The newest line of a GIT_LFS_PROGRESS file (git-lfs-config(5)): `download 1/1 1234/5678 name`. */
export function parseLfsProgress(text: string): { readonly bytes: number; readonly total: number } | null {
  const lines = [...text.matchAll(/^download \d+\/\d+ (\d+)\/(\d+) /gm)];
  const [, bytes, total] = lines.at(-1) ?? [];
  return bytes === undefined || total === undefined ? null : { bytes: Number(bytes), total: Number(total) };
}

export const lfsInstallHint =
  'install it: on Debian and Ubuntu `sudo apt-get install git-lfs`, on macOS `brew install git-lfs`\n' +
  'then run the same command again';

interface Explanation {
  readonly pattern: RegExp;
  readonly message: string;
  readonly hint: string;
}

const otherWays =
  'or take the file from another copy of the repository: superoffload dataset fetch --source URL|PATH\n' +
  'or use your own text: superoffload dataset make --text FILE... --out DIR';

const explanations: readonly Explanation[] = [
  {
    pattern: /over its data quota|LFS budget|bandwidth|Bandwidth Limit|\b509\b/,
    message: "the server has used up its owner's limit on Git LFS traffic; nothing is wrong on this machine",
    hint: `try again in some hours or days: what was received is kept\n${otherWays}`,
  },
  {
    pattern: /rate limit|too many requests|\b429\b/i,
    message: 'the server answers no more for now: too many requests from this address',
    hint: `try again in an hour: what was received is kept\n${otherWays}`,
  },
  {
    pattern: /\[404\]|not found|does not exist on the server|Object does not exist|missing object/i,
    message: 'the server does not have the file itself, only the pointer to it',
    hint: `a copy made without Git LFS has no data files\n${otherWays}`,
  },
  {
    pattern: /could not read Username|Authentication|authorization|\b40[13]\b/i,
    message: 'the server asks for a name and a password',
    hint: `see that the URL is right, and set up git's credentials for it\n${otherWays}`,
  },
];

/** What a failed `git lfs fetch` means, with the client's own words below. */
export function explainLfsFailure(stderr: string): { readonly message: string; readonly hint: string } {
  const known = explanations.find(({ pattern }) => pattern.test(stderr));
  const hint = known?.hint ?? `run the same command again: it goes on where it stopped\n${otherWays}`;
  return { message: `${known?.message ?? 'the data could not be fetched'}\n${stderr}`.trim(), hint };
}
