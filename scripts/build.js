// Compiles src/ to dist/. Run by `prepare`, so that `npm ci` in a clone gives a working `npx superoffload`.
// The program loads its modules when it needs them, and a run may last for hours while `npm ci` or `npx` builds
// anew: no file of dist/ may be absent meanwhile, so each is replaced by a rename once everything has compiled.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const dist = 'dist';
const bin = 'main.js';
const building = /^\.building-(\d+)$/;

/** The compiler's own script: no shell and no shim, so this works wherever npm does. */
function compiler() {
  try {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
    return join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.tsc);
  } catch {
    return undefined;
  }
}

/** Every file below a folder, relative to it; builds that are under way do not count. */
function filesBelow(folder, prefix = '') {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    if (building.test(entry.name)) return [];
    const path = join(prefix, entry.name);
    return entry.isDirectory() ? filesBelow(folder, path) : [path];
  });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** What a build that was killed has left. */
function removeLeftovers() {
  for (const name of readdirSync(dist)) {
    const pid = building.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(dist, name), { recursive: true, force: true });
  }
}

/** Moves a finished build into place, the entry point last: it is new only when all of it is. */
function publish(from) {
  const files = filesBelow(from);
  for (const file of [...files.filter((name) => name !== bin), bin]) {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    renameSync(join(from, file), join(dist, file));
  }
  const kept = new Set(files);
  for (const file of filesBelow(dist)) if (!kept.has(file)) rmSync(join(dist, file), { force: true });
}

const tsc = compiler();
if (tsc === undefined) {
  if (existsSync(join(dist, bin))) process.exit(0);
  console.error(
    'superoffload cannot be built: TypeScript is not installed.\n' +
      'Run `npm ci` without --omit=dev (and with NODE_ENV not "production"), or install a packed release.',
  );
  process.exit(1);
}
const fresh = join(dist, `.building-${process.pid}`);
mkdirSync(fresh, { recursive: true });
removeLeftovers();
try {
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.json', '--outDir', fresh], { stdio: 'inherit' });
  chmodSync(join(fresh, bin), 0o755);
  publish(fresh);
} catch (error) {
  // The compiler has said what is wrong; anything else has not.
  if (error.status === undefined) console.error(`superoffload cannot be built: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
