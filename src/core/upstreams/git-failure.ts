/** Why a remote or a repository did not give what was asked for. */
export type GitFailureKind =
  | 'network'
  | 'authentication'
  | 'host-key'
  | 'certificate'
  | 'missing'
  | 'unadvertised'
  | 'missing-commit'
  | 'missing-ref'
  | 'owner'
  | 'corrupt'
  | 'full-disk'
  | 'other';

/**
 * What git, ssh and curl say, in English (LC_ALL=C), in the order in which the kinds are looked for: a corrupt
 * mirror and a full disk also end the connection early, and a missing repository is told as a missing login.
 */
const patterns: readonly (readonly [GitFailureKind, RegExp])[] = [
  ['full-disk', /No space left on device|Disk quota exceeded/i],
  ['owner', /dubious ownership/i],
  ['host-key', /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/i],
  ['certificate', /certificate|self[- ]signed/i],
  [
    'authentication',
    /Authentication failed|could not read (Username|Password)|terminal prompts disabled|HTTP Basic: Access denied|Permission denied \(|returned error: 40[13]/i,
  ],
  [
    'missing',
    /repository .*not found|does not appear to be a git repository|access denied or repository not exported|returned error: 404|does not exist/i,
  ],
  ['missing-ref', /couldn't find remote ref|no such (remote )?ref/i],
  // Of protocol 2, which gives every commit that it has: this one it has not.
  ['missing-commit', /not our ref/i],
  [
    'unadvertised',
    /unadvertised object|does not support shallow|shallow (capabilities|update not allowed)|no such commit/i,
  ],
  [
    'corrupt',
    /corrupt|inflate|bad object|not a (packfile|valid object)|did not send all necessary objects|packfile .*(cannot|does not|is )|unable to read [0-9a-f]{40}|missing (blob|tree|commit)|pack has|Could not read [0-9a-f]{40}|invalid object/i,
  ],
  [
    'network',
    /early EOF|bad pack header|unexpected disconnect|RPC failed|hung up|Connection (reset|refused|timed out|closed)|Could ?n[o']t (resolve|connect)|could not resolve|name resolution|Failed to connect|Network is unreachable|No route to host|SSL|TLS|returned error: (5\d\d|429)|transfer closed|timed out|unable to connect|Empty reply|Recv failure|invalid index-pack|index-pack failed|expected flush/i,
  ],
];

/**
 * Tells the reason from what git printed.
 * @param isLocal the source is a folder of this machine: then nothing is the network's fault.
 */
export function gitFailureKind(stderr: string, isLocal: boolean): GitFailureKind {
  const found = patterns.find(([, pattern]) => pattern.test(stderr))?.[0] ?? 'other';
  return isLocal && found === 'network' ? 'corrupt' : found;
}

/** Only these pass by themselves. */
export function isWorthRepeating(kind: GitFailureKind): boolean {
  return kind === 'network';
}

/** What the user can do about it. `command` shows the same fault by hand; `shown` is the source without passwords. */
export function failureHint(
  kind: GitFailureKind,
  { shown, command, name }: { readonly shown: string; readonly command: string; readonly name: string },
): string {
  const other = `or name another one with --source ${name}=URL|PATH`;
  switch (kind) {
    case 'authentication':
      return `No password is asked for here. Where ${shown} is right, let git log in without a question (a credential helper, a token, an ssh key) until this works: ${command}; ${other}.`;
    case 'host-key':
      return `No question is asked here: connect once by hand to accept the host's key: ${command}`;
    case 'certificate':
      return `git does not trust the server's certificate: see http.sslCAInfo in git-config(1); try: ${command}`;
    case 'missing':
      return `There is no repository at ${shown}: check the spelling, ${other}.`;
    case 'owner':
      return `Somebody else owns ${shown}, and git does not read it unless you say so: git config --global --add safe.directory ${shown}`;
    case 'corrupt':
      return `The repository at ${shown} is damaged: check it with \`git fsck\` or make the copy anew, ${other}.`;
    case 'full-disk':
      return 'Free space, or set SUPEROFFLOAD_HOME to a folder on another disk.';
    default:
      return `Try by hand: ${command}; ${other}.`;
  }
}
