/**
 * A program for a host's /bin/sh that says which of some ports is the first that no socket there has (/proc/net/tcp:
 * the second column is the local address in hexadecimal).
 */
export function freePortProgram(candidates: readonly number[]): string {
  return [
    "taken=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '{ print $2 }' | sed 's/^.*://')",
    `for port in ${candidates.join(' ')}; do`,
    '  case " "$(echo $taken)" " in *" $(printf %04X "$port") "*) ;; *) echo "superoffload:port=$port"; exit ;; esac',
    'done',
    '',
  ].join('\n');
}

/** @returns null where none was free. */
export function parseFreePort(stdout: string): number | null {
  const port = /^superoffload:port=(\d+)\s*$/m.exec(stdout)?.[1];
  return port === undefined ? null : Number(port);
}

/** Below the range that the kernel gives to outgoing connections (ip_local_port_range, 32768 and up). */
export const hostPorts = { first: 20_000, last: 30_000 } as const;
