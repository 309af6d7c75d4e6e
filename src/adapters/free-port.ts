import { createServer, type AddressInfo } from 'node:net';

/**
 * A TCP port that nobody listens on now. Chosen by the kernel and asked for as late as possible: two runs started
 * in the same second get different ones, where DeepSpeed's fixed 29500 would collide.
 */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
