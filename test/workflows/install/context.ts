import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from '../../../src/workflows/context.ts';
import type { ProgressEvent } from '../../../src/workflows/events.ts';
import type { InstallOptions } from '../../../src/workflows/install/install.ts';
import { realStack } from '../../real-stack.ts';

export const packageRoot = fileURLToPath(new URL('../../..', import.meta.url));
export const options: InstallOptions = {
  ...{ stack: 'pip', python: realStack.python, torch: undefined, deepspeed: undefined, offline: false },
  ...{ findLinks: undefined, overlay: false, reinstall: false, dryRun: false, ops: [] },
};

export function context(home: string, env: Record<string, string | undefined> = process.env) {
  const events: ProgressEvent[] = [];
  const ctx: Context = {
    ...{ env, cwd: tmpdir(), home, packageRoot, now: Date.now },
    emit: (event) => void events.push(event),
    signal: new AbortController().signal,
    force: new AbortController().signal,
  };
  return { ctx, events };
}

export const newHome = (): string => mkdtempSync(join(tmpdir(), 'install-'));
