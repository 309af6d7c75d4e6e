/**
 * Names of variables and flags whose values are secrets, by their parts. Not AUTHOR, not TOKENIZERS_PARALLELISM,
 * not --max-tokens: what is not secret is needed to understand a run.
 */
const secretName = new RegExp(
  [
    'TOKEN(?![A-Z]|_ID)',
    'SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|COOKIE|SESSION',
    'PASS(?![A-Z])|.PWD(?![A-Z])',
    '(?:^|_)PAT(?:_|$)',
    'AUTH(?!ORS?(?:_|$))',
    'API_?KEY|ACCESS_?KEY|_KEY$',
  ].join('|'),
  'i',
);
/** The shell's own: folders, not passwords. */
const folderNames = new Set(['PWD', 'OLDPWD']);
/** `scheme://user:password@host`: the password is a secret whatever the variable is called. */
const urlPassword = /(\b\w+:\/\/[^/\s:@]*:)[^/\s@]+@/g;
/** `https://token@host`: over HTTP a user without a password is a token. `ssh://git@host` is none. */
const urlToken = /(https?:\/\/)[^/\s:@]+@/gi;
/** Tokens that say themselves what they are: Hugging Face, GitHub, GitLab, OpenAI and the like, Slack. */
const tokenShape = /\b(hf_|gh[opsur]_|github_pat_|glpat-|sk-|xox[abpr]-)[A-Za-z0-9_-]{16,}/g;
/** `--token=x`, `HF_TOKEN=x`, in a word of its own or within a script. */
const assignment = /(^|[\s;'"&|(])(-{0,2})([A-Za-z_][\w-]*)=("[^"]*"|'[^']*'|[^\s;'"]+)/g;
const bearer = /\b((?:Bearer|Basic)\s+)[\w.~+/=-]{8,}/g;
/** What stands for a secret. */
export const hiddenMark = '[redacted]';

/** The environment as it may be stored: names are kept, values that are secrets are not. */
export function redactEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(
    entries
      .map(([name, value]): [string, string] => [name, isSecretName(name) ? hiddenMark : redactValue(value)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** A command for people to read: values of flags and variables that are secrets by their name or shape are hidden. */
export function redactCommand(command: readonly string[]): string[] {
  return command.map((word, index) => {
    const flag = /^--?([A-Za-z][\w-]*)$/.exec(command[index - 1] ?? '')?.[1];
    if (flag !== undefined && !word.startsWith('-') && isSecret(flag, word)) return hiddenMark;
    return redactValue(word)
      .replace(assignment, (whole, before: string, dashes: string, name: string, value: string) =>
        isSecret(name, value) ? `${before}${dashes}${name}=${hiddenMark}` : whole,
      )
      .replace(bearer, `$1${hiddenMark}`);
  });
}

/** Text of any kind, such as a log or a script: what {@link redactCommand} hides in a word, it hides in every line. */
export function redactText(text: string): string {
  return redactCommand([text])[0] ?? '';
}

/** @returns the secrets that a redaction took out of a text, each once; what stood for one before is none. */
export function hiddenParts(text: string, redacted: string): string[] {
  const kept = redacted.split(hiddenMark);
  const parts: string[] = [];
  let from = kept[0]?.length ?? 0;
  for (const [index, piece] of kept.slice(1).entries()) {
    const isRest = piece === '' && index === kept.length - 2;
    const found = isRest ? -1 : text.indexOf(piece, from);
    const to = found === -1 ? text.length : found;
    parts.push(text.slice(from, to).replace(/^(["'])(.*)\1$/s, '$2'));
    from = to + piece.length;
  }
  return [...new Set(parts)].filter((part) => part !== '' && part !== hiddenMark);
}

/** Whether a command shows a secret to everyone who may list processes or read the run's folder. */
export function holdsSecret(command: readonly string[]): boolean {
  return redactCommand(command).some((word, index) => word !== command[index]);
}

function redactValue(value: string): string {
  return value
    .replace(urlPassword, `$1${hiddenMark}@`)
    .replace(urlToken, `$1${hiddenMark}@`)
    .replace(tokenShape, `$1${hiddenMark}`);
}

/** A number is no secret (`--session=3`), nor is what a shell will put in place (`$HF_TOKEN`). */
function isSecret(name: string, value: string): boolean {
  return isSecretName(name.replaceAll('-', '_')) && !/^["']?(\d*\.?\d*|\$\{?\w+\}?)["']?$/.test(value);
}

function isSecretName(name: string): boolean {
  return !folderNames.has(name) && secretName.test(name);
}
