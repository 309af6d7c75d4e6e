/**
 * Hosts of the loopback to try runs over ssh by hand, as the tests have them:
 *
 *     npx tsx scripts/ssh-hosts.ts 4
 *
 * prints what to export and a hostfile, and ends them on Ctrl-C.
 */
import { startSshHosts } from '../test/clusters/ssh.ts';

const count = Number(process.argv[2] ?? '4');
if (!Number.isInteger(count) || count < 1 || count > 200) {
  console.error(`usage: npx tsx scripts/ssh-hosts.ts [1 to 200 hosts], not ${String(process.argv[2])}`);
  process.exit(2);
}
const hosts = await startSshHosts(count);
if (typeof hosts === 'string') {
  console.error(hosts);
  process.exit(3);
}
console.log(`export SUPEROFFLOAD_SSH="${hosts.command}"`);
console.log(['# hostfile', ...hosts.names.map((name) => `${name} slots=1`)].join('\n'));
const timer = setInterval(() => undefined, 60_000);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    clearInterval(timer);
    hosts.stop();
  });
}
