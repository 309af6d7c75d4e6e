import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Hosts of one machine: an sshd of its own on addresses of the loopback, known to nobody but its own ssh command. */
export interface SshHosts {
  /** `host1`, `host2`, ... as the ssh command knows them. */
  readonly names: readonly string[];
  /** A name that leads to an address where nobody listens. */
  readonly nobody: string;
  /** A host that sees other files than the rest; null where namespaces are not allowed. */
  readonly apart: string | null;
  /** What SUPEROFFLOAD_SSH must be. */
  readonly command: string;
  readonly stop: () => void;
}

const sshd = '/usr/sbin/sshd';

/**
 * Starts an sshd for this user.
 * @param mounts shell lines that give one more host, `apart`, its own view of the file system
 * @returns the hosts, or why there can be none here.
 */
export async function startSshHosts(count: number, mounts?: string): Promise<SshHosts | string> {
  const missing = provideSshd();
  if (missing !== null) return missing;
  const folder = mkdtempSync(join(tmpdir(), 'ssh-hosts-'));
  const port = await freePort();
  const addresses = Array.from({ length: count }, (_, index) => `127.0.0.${index + 11}`);
  for (const key of ['id', 'host_key']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
  }
  // "Missing privilege separation directory" otherwise; only root has one.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
  writeFileSync(join(folder, 'ssh_config'), clientConfig(folder, port, addresses));
  const stop = (): void => {
    for (const name of ['hosts', 'apart']) stopSshd(join(folder, `${name}.pid`));
    rmSync(folder, { recursive: true, force: true });
  };
  const command = `ssh -F '${join(folder, 'ssh_config')}'`;
  const problem = await startSshd(folder, 'hosts', { port, addresses }, `${command} host1 true`, 'true');
  if (problem !== null) {
    stop();
    return problem;
  }
  const hasApart =
    mounts !== undefined &&
    (await startSshd(
      folder,
      'apart',
      { port, addresses: [apartAddress] },
      `${command} apart true`,
      mounts,
    )) === null;
  const names = addresses.map((_, index) => `host${index + 1}`);
  return { names, nobody: 'nobody', apart: hasApart ? 'apart' : null, command, stop };
}

const apartAddress = '127.0.0.240';

/** @returns why it does not start; null once `probe` gets through to it. */
async function startSshd(
  folder: string,
  name: string,
  { port, addresses }: { readonly port: number; readonly addresses: readonly string[] },
  probe: string,
  before: string,
): Promise<string | null> {
  const [config, log] = [join(folder, `${name}_config`), join(folder, `${name}.log`)];
  writeFileSync(config, serverConfig(folder, name, port, addresses));
  const start = `${before}\nexec ${sshd} -f '${config}' -E '${log}'`;
  const command = before === 'true' ? ['/bin/sh', '-c', start] : ['unshare', '-m', '/bin/sh', '-ec', start];
  const started = spawnSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });
  for (let attempt = 0; attempt < 50 && started.status === 0; attempt += 1) {
    if (spawnSync('/bin/sh', ['-c', probe]).status === 0) return null;
    await sleep(100);
  }
  const said = `${started.stderr}${existsSync(log) ? readFileSync(log, 'utf8') : ''}`;
  return `sshd does not start here: ${said.trim()}`;
}

/** No limits on sessions: launchers start all hosts at once, and sshd drops connections at random beyond ten. */
function serverConfig(folder: string, name: string, port: number, addresses: readonly string[]): string {
  return [
    ...addresses.map((address) => `ListenAddress ${address}`),
    `Port ${port}`,
    `HostKey ${join(folder, 'host_key')}`,
    `PidFile ${join(folder, `${name}.pid`)}`,
    `AuthorizedKeysFile ${join(folder, 'id.pub')}`,
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'UsePAM no',
    'UseDNS no',
    'MaxStartups 200',
    'MaxSessions 200',
    '',
  ].join('\n');
}

function clientConfig(folder: string, port: number, addresses: readonly string[]): string {
  return [
    ...addresses.flatMap((address, index) => [`Host host${index + 1}`, `  HostName ${address}`]),
    'Host apart',
    `  HostName ${apartAddress}`,
    'Host nobody',
    '  HostName 127.0.0.250',
    'Host *',
    `  Port ${port}`,
    `  User ${userInfo().username}`,
    `  IdentityFile ${join(folder, 'id')}`,
    '  IdentitiesOnly yes',
    '  StrictHostKeyChecking no',
    '  UserKnownHostsFile /dev/null',
    '  LogLevel ERROR',
    '',
  ].join('\n');
}

function stopSshd(pidFile: string): void {
  if (!existsSync(pidFile)) return;
  try {
    process.kill(Number(readFileSync(pidFile, 'utf8')));
  } catch {
    // It has ended.
  }
}

/** @returns why there is no sshd and can be none; null where there is one. */
function provideSshd(): string | null {
  if (existsSync(sshd) && spawnSync('ssh', ['-V']).status === 0) return null;
  if (userInfo().uid !== 0) return `no ${sshd}, and only root may install openssh-server`;
  if (spawnSync('apt-get', ['--version']).status !== 0)
    return `no ${sshd}, and no apt-get to install it with`;
  return installSshd();
}

/** The package's own start of the service is refused: it would listen on port 22 of whoever runs the tests. */
function installSshd(): string | null {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const wait = ['-o', 'DPkg::Lock::Timeout=120'];
    const packages = ['openssh-server', 'openssh-client'];
    const install = ['install', '-qq', '-y', '--no-install-recommends', ...wait, ...packages];
    let result = spawnSync('apt-get', install, { env, encoding: 'utf8' });
    if (result.status !== 0) {
      spawnSync('apt-get', ['update', '-qq', ...wait], { env });
      result = spawnSync('apt-get', install, { env, encoding: 'utf8' });
    }
    return result.status === 0 && existsSync(sshd)
      ? null
      : `openssh-server cannot be installed: ${result.stderr.trim().split('\n').at(-1) ?? ''}`;
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
