/** Names of variables whose values are secrets; matched as a part of the name, case-insensitively. */
const secretName = /TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE|AUTH|COOKIE|SESSION|_KEY$/i;
/** `scheme://user:password@host`: the password is a secret whatever the variable is called. */
const urlPassword = /(\w+:\/\/[^/\s:@]*:)[^/\s@]+@/g;

/** The environment as it may be stored: names are kept, values that are secrets are not. */
export function redactEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(
    entries
      .map(([name, value]): [string, string] => [
        name,
        secretName.test(name) ? '[redacted]' : value.replace(urlPassword, '$1[redacted]@'),
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
