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
    // Of addresses that are signed: AWS, Google, Azure.
    'SIGNATURE$|^SIG$',
  ].join('|'),
  'i',
);
/** The shell's own: folders, not passwords. */
const folderNames = new Set(['PWD', 'OLDPWD']);
/** `scheme://user:password@host`: the password is a secret whatever the variable is called, and may hold a bare `@`. */
const urlPassword = /(\b\w+:\/\/[^/\s:@]*:)[^/\s]+@/g;
/** `https://token@host`: over HTTP a user without a password is a token. `ssh://git@host` is none. */
const urlToken = /(https?:\/\/)[^/\s:@]+@/gi;
/** Tokens that say themselves what they are: Hugging Face, GitHub, GitLab, OpenAI and the like, Slack, NVIDIA, npm, PyPI, JWT. */
const tokenShape =
  /\b(hf_|gh[opsur]_|github_pat_|glpat-|sk-|xox[abpr]-|nvapi-|npm_|pypi-|AIza|eyJ(?=[\w-]{1,200}\.eyJ))[A-Za-z0-9_.-]{16,}/g;
/** `--token=x`, `HF_TOKEN=x`, `?token=x`, in a word of its own or within a script or an address. */
const assignment = /(^|[\s;'"&|(?,{[])(-{0,2})([A-Za-z_][\w.-]*)=("[^"]*"|'[^']*'|[^\s;'"]+)/g;
/** `"api_key": "x"` of JSON and of Python, also within a string of JSON, where every quote has a backslash. */
const field = /(\\{0,3}["'])([A-Za-z_][\w.-]{0,80})\1(\s*:\s*)(\\{0,3}["'])(.*?)(?<!\\)\4/g;
/** `api key: x` of a log, `password: x` of YAML: only what looks made by a machine. */
const said = /\b([A-Za-z_][\w-]{0,40})(\s?:\s{1,3})(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])([\w+/=-]{16,})/g;
/** `sshpass -p x`: the one tool whose usual flag for a password is a letter. */
const sshpass = /\b(sshpass\s+-p\s*)(?!\[redacted\])("[^"]*"|'[^']*'|\S+)/g;
const bearer = /\b((?:Bearer|Basic)\s+)[\w.~+/=-]{8,}/g;
/** What stands for a secret. */
export const hiddenMark = '[redacted]';

/** The environment as it may be stored: names are kept, values that are secrets are not. */
export function redactEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(
    entries
      .map(([name, value]): [string, string] => [name, isSecretName(name) ? hiddenMark : redactFlags(value)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** A variable may hold the flags of a command: `--password x` is no secret by either of its words. */
function redactFlags(value: string): string {
  return redactText(redactCommand(value.split(' ')).join(' '));
}

/** A command for people to read: values of flags and variables that are secrets by their name or shape are hidden. */
export function redactCommand(command: readonly string[]): string[] {
  return command.map((word, index) => {
    const flag = /^--?([A-Za-z][\w-]*)$/.exec(command[index - 1] ?? '')?.[1];
    if (flag !== undefined && !word.startsWith('-') && isSecret(flag, word)) return hiddenMark;
    return redactText(word);
  });
}

/** Text of any kind, such as a log or a script: what {@link redactCommand} hides in a word, it hides in every line. */
export function redactText(text: string): string {
  return redactValue(text)
    .replace(assignment, (whole, before: string, dashes: string, name: string, value: string) =>
      isSecret(name, value) ? `${before}${dashes}${name}=${hiddenMark}` : whole,
    )
    .replace(field, (whole, open: string, name: string, colon: string, quote: string, value: string) =>
      value !== '' && isSecret(name, value)
        ? `${open}${name}${open}${colon}${quote}${hiddenMark}${quote}`
        : whole,
    )
    .replace(said, (whole, name: string, colon: string, value: string) =>
      isSecret(name, value) ? `${name}${colon}${hiddenMark}` : whole,
    )
    .replace(sshpass, `$1${hiddenMark}`)
    .replace(bearer, `$1${hiddenMark}`);
}

/** Fewer letters may be a word that stands everywhere, such as the name of a desktop's session. */
const minSecretLength = 12;

/** @returns the values of variables that are secrets by their name: what a log prints of them goes by these. */
export function secretValues(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value.length >= minSecretLength && !value.startsWith('/') && isSecretName(name)
      ? [value]
      : [],
  );
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

const notSecret = /^["']?(\d*\.?\d*|\$\{?\w+\}?|none|null|true|false|auto)["']?$/i;

/** A number is no secret (`--session=3`), nor is what a shell will put in place (`$HF_TOKEN`). */
function isSecret(name: string, value: string): boolean {
  return isSecretName(name.replaceAll('-', '_')) && !notSecret.test(value);
}

function isSecretName(name: string): boolean {
  return !folderNames.has(name) && secretName.test(name);
}
