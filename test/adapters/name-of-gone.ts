import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { expect } from 'vitest';

/** The name that a process gave which has ended since. */
export function nameOfGone(path: string): string {
  const script = `import { temporaryBeside } from ${JSON.stringify(join(import.meta.dirname, '../../src/adapters/leftovers.ts'))}; process.stdout.write(temporaryBeside(process.argv[1]));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script, path],
    { encoding: 'utf8' },
  );
  expect(stdout, stderr).toContain(basename(path).slice(0, 100));
  return stdout;
}
