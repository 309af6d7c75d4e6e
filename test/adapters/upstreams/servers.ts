import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { git, gitEnv, makeBare, makeUpstream, write, type Upstream } from './repositories.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** @returns the address of a server that lives as long as the test. */
export async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export interface BackendOptions {
  /** 0: the server speaks protocol 0, as servers did before git 2.18. */
  readonly protocol?: 0;
  /** Called for each piece of a pack; false: nothing more is sent and the connection stays open. */
  readonly onPack?: (sentBytes: number, response: ServerResponse) => boolean;
}

/** git's own server program behind Node's HTTP server, as a web server runs it (git-http-backend(1)). */
export function backend(root: string, options: BackendOptions = {}): Handler {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const version = options.protocol === 0 ? {} : { GIT_PROTOCOL: request.headers['git-protocol'] as string };
    const child = spawn('git', ['http-backend'], {
      env: {
        ...gitEnv,
        ...version,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: decodeURIComponent(url.pathname),
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        REMOTE_ADDR: '127.0.0.1',
      },
    });
    child.stdin.on('error', () => undefined);
    request.pipe(child.stdin);
    forward(child.stdout, request, response, options.onPack);
  };
}

function forward(
  stdout: NodeJS.ReadableStream,
  request: IncomingMessage,
  response: ServerResponse,
  onPack: BackendOptions['onPack'],
): void {
  let head: Buffer | null = Buffer.alloc(0);
  let sentBytes = 0;
  let open = true;
  const send = (chunk: Buffer): void => {
    // Small pieces, so that a test can stop in the middle of a pack.
    for (let start = 0; open && start < chunk.length; start += 4096) {
      const piece = chunk.subarray(start, start + 4096);
      if (request.method === 'POST') open = onPack?.(sentBytes, response) ?? true;
      sentBytes += piece.length;
      if (open) response.write(piece);
    }
  };
  stdout.on('data', (chunk: Buffer) => {
    if (head === null) {
      send(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    for (const line of head.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(': ');
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    const rest = head.subarray(end + 4);
    head = null;
    send(rest);
  });
  stdout.on('end', () => {
    if (open) response.end();
  });
}

/** Plain files over HTTP: git's "dumb" protocol. */
export function plainFiles(root: string): Handler {
  return (request, response) => {
    const path = join(root, decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
    try {
      if (!statSync(path).isFile()) throw new Error('no file');
      response.end(readFileSync(path));
    } catch {
      response.statusCode = 404;
      response.end();
    }
  };
}

/** Processes of this machine whose command line holds a word of the test's own. */
export function processesNaming(word: string): string[] {
  const list = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  return list.split('\n').filter((line) => line.includes(word) && !line.includes('http-backend'));
}

export interface Remote extends Upstream {
  /** Of the bare repository on a server that speaks HTTP. */
  readonly url: string;
}

/** git's own HTTP server over a bare copy; `large`: with a file that fills many pieces of a pack. */
export async function httpRemote(
  options: BackendOptions & { readonly large?: boolean } = {},
): Promise<Remote> {
  const upstream = makeUpstream();
  const head = options.large === true ? addLargeFile(upstream) : upstream.head;
  const bare = makeBare(upstream);
  return { ...upstream, head, url: `${await serve(backend(dirname(bare), options))}/upstream.git` };
}

function addLargeFile({ folder }: Upstream): string {
  // Digits of a fixed recurrence: they do not compress to nothing.
  let state = 1;
  const words = Array.from({ length: 60_000 }, () => (state = (state * 48271) % 2147483647).toString(36));
  write(folder, { 'large.txt': words.join('\n') });
  git(folder, 'add', 'large.txt');
  git(folder, 'commit', '--quiet', '-m', 'large');
  return git(folder, 'rev-parse', 'HEAD').trim();
}
