type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Variables of git that a user sets for his network, his configuration or his ssh. Every other one (GIT_DIR,
 * GIT_INDEX_FILE, GIT_WORK_TREE ... as git sets them for a hook) would point our commands at another repository.
 */
const passedOn =
  /^(?!GIT_)|^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|HTTP_\w+|PROXY_\w+|CONFIG_\w+|CURL_\w+|TRACE\w*|LFS_\w+|EXEC_PATH|ALLOW_PROTOCOL)$/;

/** Programs that git would start to ask or to show something. */
const interactive = new Set(['EDITOR', 'VISUAL', 'PAGER', 'SSH_ASKPASS', 'PREFIX']);

/**
 * The environment of every git command: nothing in it can ask a question, and its messages are in English.
 * @param sshCommand core.sshCommand of the user's configuration, '' where there is none.
 */
export function gitEnvironment(env: Environment, sshCommand: string): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && passedOn.test(entry[0]) && !interactive.has(entry[0]),
  );
  return {
    ...Object.fromEntries(kept),
    LC_ALL: 'C',
    LANGUAGE: 'C',
    GIT_TERMINAL_PROMPT: '0',
    // Empty, not absent: git then looks for no other program that could ask (git-credential(1)).
    GIT_ASKPASS: '',
    GCM_INTERACTIVE: 'never',
    GIT_OPTIONAL_LOCKS: '0',
    // `ext::` and whatever else runs a command: never, whatever a configuration allows (gitremote-helpers(7)).
    GIT_ALLOW_PROTOCOL: env['GIT_ALLOW_PROTOCOL'] ?? 'file:git:http:https:ssh',
    ...batchSsh(env, sshCommand),
  };
}

/** ssh opens the terminal itself, so git's own switch does not keep it from asking. */
function batchSsh(env: Environment, sshCommand: string): Record<string, string> {
  const own = env['GIT_SSH_COMMAND'] || sshCommand;
  if (own === '' && (env['GIT_SSH'] ?? '') !== '') return {};
  return { GIT_SSH_COMMAND: `${own === '' ? 'ssh' : own} -o BatchMode=yes` };
}
