import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bin, binHash } from './lfs-source.ts';

/** What a Git LFS server does with the one object it has. */
export type LfsAnswer = 'whole' | 'stalls half-way' | 'over its quota' | 'damaged' | 'has no object';

export interface LfsServer {
  readonly url: string;
  answer: LfsAnswer;
  /** First byte of each download, in order. */
  readonly from: number[];
  readonly close: () => void;
}

/** The Batch API of Git LFS (docs/api/batch.md of git-lfs) with basic downloads that can be continued. */
export async function startLfsServer(answer: LfsAnswer): Promise<LfsServer> {
  const http: Server = createServer((request, response) => {
    if (request.url?.endsWith('/objects/batch') === true) answerBatch(server, response);
    else answerDownload(server, request, response);
  });
  http.listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const close = (): void => {
    http.closeAllConnections();
    http.close();
  };
  const server: LfsServer = { url, answer, from: [], close };
  return server;
}

function answerBatch({ url, answer }: LfsServer, response: ServerResponse): void {
  response.setHeader('content-type', 'application/vnd.git-lfs+json');
  if (answer === 'over its quota') {
    response.statusCode = 403;
    const message =
      'This repository is over its data quota. Account responsible for LFS bandwidth should purchase more data packs to restore access.';
    response.end(JSON.stringify({ message }));
    return;
  }
  const object = { oid: binHash, size: bin.length, authenticated: true };
  const error = { code: 404, message: 'Object does not exist' };
  const found =
    answer === 'has no object' ? { error } : { actions: { download: { href: `${url}/${binHash}` } } };
  response.end(JSON.stringify({ transfer: 'basic', objects: [{ ...object, ...found }] }));
}

function answerDownload(server: LfsServer, request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  server.from.push(start);
  if (start > 0) response.setHeader('content-range', `bytes ${start}-${bin.length - 1}/${bin.length}`);
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': bin.length - start });
  if (server.answer === 'stalls half-way') response.write(bin.subarray(start, bin.length / 2));
  else response.end(server.answer === 'damaged' ? Buffer.alloc(bin.length - start) : bin.subarray(start));
}
