// Compiles src/ to dist/. Run by `prepare`, so that `npm ci` in a clone gives a working `npx superoffload`.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const bin = 'dist/main.js';

/** The compiler's own script: no shell and no shim, so this works wherever npm does. */
function compiler() {
  try {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
    return join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.tsc);
  } catch {
    return undefined;
  }
}

const tsc = compiler();
if (tsc === undefined) {
  if (existsSync(bin)) process.exit(0);
  console.error(
    'superoffload cannot be built: TypeScript is not installed.\n' +
      'Run `npm ci` without --omit=dev (and with NODE_ENV not "production"), or install a packed release.',
  );
  process.exit(1);
}
rmSync('dist', { recursive: true, force: true });
try {
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.json'], { stdio: 'inherit' });
} catch {
  process.exit(1);
}
chmodSync(bin, 0o755);
