import { quoteCommand } from './quote.ts';

/** How long the first host waits for the others, seconds. */
const patience = 45;

/** A program for the first host's /bin/sh: listens on a free port of all its addresses, and says which. */
export function acceptProgram(python: string): string {
  const lines = [
    'import socket, time',
    'try: s = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)',
    'except (OSError, ValueError): s = socket.create_server(("", 0))',
    'print("superoffload:port=%d" % s.getsockname()[1], flush=True)',
    `end = time.monotonic() + ${patience}`,
    's.settimeout(1)',
    'while time.monotonic() < end:',
    '    try: s.accept()[0].close()',
    '    except OSError: pass',
  ];
  return `exec ${quoteCommand([python, '-I', '-S', '-c', lines.join('\n')])} </dev/null\n`;
}

/** @returns the port that the first host says in this line. */
export function parseAcceptPort(line: string): number | null {
  const port = /^superoffload:port=(\d+)\s*$/.exec(line)?.[1];
  return port === undefined ? null : Number(port);
}

/** A program for another host: tries each address, and says which lead there. */
export function connectProgram(python: string, addresses: readonly string[], port: number): string {
  const lines = [
    'import socket, sys',
    'for address in sys.argv[2:]:',
    '    try: socket.create_connection((address, int(sys.argv[1])), 3).close()',
    '    except OSError: continue',
    '    print("superoffload:reached=" + address, flush=True)',
  ];
  const words = [python, '-I', '-S', '-c', lines.join('\n'), String(port), ...addresses];
  return `exec ${quoteCommand(words)} </dev/null\n`;
}

export function parseReached(stdout: string): string[] {
  return [...stdout.matchAll(/^superoffload:reached=(\S+)\s*$/gm)].map(([, address]) => address ?? '');
}
