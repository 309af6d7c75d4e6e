import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFolder } from '../../adapters/run-store.ts';
import { oomKillsOf, parseNodeReport } from '../../core/launch/node-report.ts';
import { runFiles } from '../../core/results/run-files.ts';

/** What the kernels of all nodes of a run counted; null where nobody did. */
export function oomKillsIn({ path }: Pick<RunFolder, 'path'>): number | null {
  const folder = join(path, runFiles.nodes);
  try {
    const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    return oomKillsOf(texts.map(parseNodeReport));
  } catch {
    return null;
  }
}
