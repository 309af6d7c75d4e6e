import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { requireSpace } from '../../adapters/dataset/disk-space.ts';
import { writeSynthetic } from '../../adapters/dataset/write-dataset.ts';
import { tokenTypes, type TokenType } from '../../core/dataset/indexed.ts';
import { syntheticEntropy, type SyntheticRequest } from '../../core/dataset/synthetic.ts';
import { tokenTypeFor } from '../../core/dataset/tokens.ts';
import { faultsError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { asTask } from '../task.ts';

/** What was made, or would be; null for what a dry run cannot know. */
export interface MakeReport {
  readonly schemaVersion: 1;
  readonly isDryRun: boolean;
  /** What `--data-path` takes. */
  readonly prefix: string;
  readonly documents: number | null;
  readonly tokens: number | null;
  readonly vocabulary: number | null;
  readonly type: TokenType | null;
  readonly vocabFile: string | null;
  readonly mergeFile: string | null;
  /** Nats a token; of synthetic text only. */
  readonly entropy: number | null;
}

export interface SyntheticOptions extends SyntheticRequest {
  readonly out: string;
  readonly dryRun: boolean;
}

/**
 * Writes synthetic text (core/dataset/synthetic.ts) as OUT/synthetic.bin and .idx.
 * @throws SuperOffloadError 'usage' where a data set of that name is there already; 'environment' without the space.
 */
export async function makeSynthetic(ctx: Context, options: SyntheticOptions): Promise<MakeReport> {
  const { vocabulary, tokens, seed, dryRun } = options;
  const prefix = join(resolve(ctx.cwd, options.out), 'synthetic');
  const faults = takenFaults(prefix);
  if (vocabulary < 2) {
    faults.push({
      place: '--vocab-size',
      problem: `is ${vocabulary}`,
      expected: '2 or more: a token and the end',
    });
  }
  if (faults.length > 0) throw faultsError('usage', faults);
  const type = tokenTypeFor(vocabulary);
  requireSpace(dirname(prefix), tokens * tokenTypes[type].bytes);
  if (!dryRun) {
    const title = `write ${tokens} synthetic tokens`;
    await asTask(ctx, { id: 'synthetic', title }, async (task) => {
      const onTokens = (done: number): void => {
        task.line(`${(done / 1e6).toFixed(0)} of ${(tokens / 1e6).toFixed(0)} million tokens`);
      };
      await writeSynthetic(prefix, { vocabulary, tokens, seed }, { signal: ctx.signal, onTokens });
    });
  }
  return {
    ...{ schemaVersion: 1, isDryRun: dryRun, prefix, documents: null, tokens, vocabulary, type },
    ...{ vocabFile: null, mergeFile: null },
    // With fewer than five tokens there are fewer than four ways to go on.
    entropy: vocabulary >= 5 ? syntheticEntropy : null,
  };
}

/** A data set is never written over: a run may be reading it. */
export function takenFaults(prefix: string): Fault[] {
  return ['idx', 'bin']
    .map((end) => `${prefix}.${end}`)
    .filter((path) => existsSync(path))
    .map((path) => ({ place: '--out', problem: `${path} is there already`, expected: 'another folder' }));
}
