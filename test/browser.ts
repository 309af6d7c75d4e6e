import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * Starts the system's Chromium without a window; where there is none and this is root on Debian, its package is
 * installed first (about a minute, once).
 * @returns the browser, or why there can be none here.
 */
export async function startBrowser(): Promise<Browser | string> {
  const found = findBrowser() ?? installBrowser();
  if (!found.startsWith('/')) return found;
  try {
    return await chromium.launch({
      executablePath: found,
      // Root has no sandbox for it; the rest keeps it from asking the network for anything of its own.
      args: [
        ...(userInfo().uid === 0 ? ['--no-sandbox'] : []),
        ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
        ...[
          '--disable-component-update',
          '--disable-sync',
          '--font-render-hinting=none',
          '--disable-lcd-text',
        ],
      ],
    });
  } catch (error) {
    return `${found} does not start here: ${(error as Error).message.split('\n')[0] ?? ''}`;
  }
}

function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => path.startsWith('/') && existsSync(path));
}

/** @returns its path, or why it is not there. */
function installBrowser(): string {
  if (userInfo().uid !== 0) return 'no Chromium here, and only root may install one';
  if (spawnSync('apt-get', ['--version']).error !== undefined) return 'no Chromium here, and no apt-get';
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  const install = ['install', '-qq', '-y', '--no-install-recommends', ...wait, 'chromium'];
  let result = spawnSync('apt-get', install, { env, encoding: 'utf8' });
  if (result.status !== 0) {
    spawnSync('apt-get', ['update', '-qq', ...wait], { env });
    result = spawnSync('apt-get', install, { env, encoding: 'utf8' });
  }
  return findBrowser() ?? `chromium cannot be installed: ${result.stderr.trim().split('\n').at(-1) ?? ''}`;
}
