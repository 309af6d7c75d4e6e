/** Where an upstream is fetched from: a remote, or a repository of this machine. */
export interface Source {
  readonly kind: 'url' | 'path';
  /** As given; a path may be relative or begin with `~/`. It may hold a password: never show it, never store it. */
  readonly address: string;
  /** The same without user name and password: what locks, logs and messages hold. */
  readonly shown: string;
}

/** A branch, a tag or a commit. */
export interface Ref {
  /** `commit`: 40 hexadecimal digits. `name`: a branch, a tag, or the beginning of a commit. */
  readonly kind: 'name' | 'commit';
  readonly name: string;
}

/** What is wrong with a value, and what would be right. */
export interface Refusal {
  readonly problem: string;
  readonly expected: string;
}

const expectedSource =
  'an https, http, ssh, git or file URL, user@host:path, or the path of a git repository';
const expectedRef = 'a branch, a tag, or a commit of 40 hexadecimal digits';

const controls = /[\u0000-\u001f\u007f]/;
/** `transport::address` runs `git remote-transport`, and `ext::` any command (gitremote-helpers(7)). */
const helperAddress = /^[a-z0-9+.-]*::/i;
const scheme = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is;
const schemes = ['https', 'http', 'ssh', 'git', 'file'];
/** A colon before the first slash, as git-clone(1) tells a remote from a path; an IPv6 host is in brackets. */
const scpLike = /^(?:([^/:]*)@)?(\[[^\]/]+\]|[^/:@]+):(.*)$/s;

/** Reads the value of `--source NAME=VALUE`. Nothing it returns can be taken for an option or a command by git. */
export function parseSource(text: string): Source | Refusal {
  const refuse = (problem: string): Refusal => ({ problem, expected: expectedSource });
  if (text.trim() === '') return refuse('is empty');
  if (controls.test(text)) return refuse('holds a control character');
  if (text.startsWith('-'))
    return refuse('begins with "-", as an option does; a path of that name is ./-NAME');
  if (helperAddress.test(text))
    return refuse('names a transport helper (NAME::ADDRESS), which may run a command');
  const url = scheme.exec(text);
  if (url !== null) return parseUrl(text, (url[1] ?? '').toLowerCase(), url[2] ?? '', refuse);
  const remote = scpLike.exec(text);
  if (remote !== null) {
    const [, user = '', host = '', path = ''] = remote;
    const problem = wordProblem([user, host, path]);
    if (problem !== null) return refuse(problem);
    if (text.startsWith('@') || path.startsWith('//')) return refuse('is neither a URL nor user@host:path');
    return path === '' ? refuse('names a host and no path') : { kind: 'url', address: text, shown: text };
  }
  if (/^~[^/]/.test(text)) return refuse('begins with the folder of another user, which only a shell knows');
  return { kind: 'path', address: text, shown: text };
}

function parseUrl(
  text: string,
  name: string,
  rest: string,
  refuse: (problem: string) => Refusal,
): Source | Refusal {
  if (!schemes.includes(name)) return refuse(`has the scheme ${name}://, which is not taken`);
  const slash = rest.indexOf('/');
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? '' : rest.slice(slash + 1);
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const problem = wordProblem([authority.slice(0, Math.max(0, at)), host, path]);
  if (problem !== null) return refuse(problem);
  if (/%(0[0ad]|00)/i.test(rest)) return refuse('holds an encoded control character');
  if (path === '') return refuse('names no repository');
  if (name !== 'file' && host === '') return refuse('names no host');
  const shown = /^https?$/.test(name) ? withoutUser(text) : withoutPassword(text);
  return { kind: 'url', address: text, shown };
}

/** A part that begins with "-" reaches ssh or a server as an option of its own (CVE-2017-1000117). */
function wordProblem(parts: readonly string[]): string | null {
  if (parts.some((part) => part.startsWith('-'))) return 'has a user, host or path that begins with "-"';
  return parts.some((part) => /\s/.test(part)) ? 'holds white space (in a URL that is %20)' : null;
}

function withoutUser(url: string): string {
  return url.replace(/^([^/]*\/\/)[^/]*@/, '$1');
}

function withoutPassword(url: string): string {
  return url.replace(/^([^/]*\/\/[^/:]*):[^/]*@/, '$1@');
}

/**
 * Reads the value of `--ref NAME=VALUE` by the rules of git-check-ref-format(1): what is not a branch, a tag or a
 * commit (`a..b`, `x@{1}`, `a:b`, `HEAD~1`) is refused.
 */
export function parseRef(text: string): Ref | Refusal {
  const refuse = (problem: string): Refusal => ({ problem, expected: expectedRef });
  if (text === '') return refuse('is empty');
  if (text.startsWith('-')) return refuse('begins with "-", as an option does');
  if (controls.test(text) || /\s/.test(text)) return refuse('holds white space or a control character');
  if (/^[0-9a-f]{40}$/i.test(text)) return { kind: 'commit', name: text.toLowerCase() };
  if (text.includes('@{') || text.includes('..') || /[~^:?*[\\]/.test(text) || text === '@') {
    return refuse('is a revision or a range, or holds one of ~ ^ : ? * [ \\');
  }
  const parts = text.split('/');
  const bad = parts.some((part) => part === '' || part.startsWith('.') || /\.lock$/.test(part));
  if (bad || text.endsWith('.') || text.length > 255) return refuse('is no name that git takes');
  return { kind: 'name', name: text };
}

/** @returns true for what {@link parseSource} and {@link parseRef} refused. */
export function isRefusal(value: Source | Ref | Refusal): value is Refusal {
  return 'problem' in value;
}

/** May a name be the beginning of a commit? git itself asks for 4 digits, people give 7 and more. */
export function isShortCommit(name: string): boolean {
  return /^[0-9a-f]{7,39}$/i.test(name);
}
