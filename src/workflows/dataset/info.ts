import { resolve } from 'node:path';
import { findDataset, sampleTokens } from '../../adapters/dataset/data-file.ts';
import type { DatasetIndex } from '../../core/dataset/indexed.ts';
import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';

/** What the files themselves say; nothing is taken from their name. */
export interface DatasetInfo {
  readonly schemaVersion: 1;
  readonly prefix: string;
  readonly documents: number;
  readonly sequences: number;
  readonly tokens: number;
  readonly type: DatasetIndex['type'];
  /** Size of the .bin. */
  readonly bytes: number;
  /** Tokens of the shortest, the median and the longest document; null without documents. */
  readonly documentTokens: {
    readonly shortest: number;
    readonly median: number;
    readonly longest: number;
  } | null;
  /** null without tokens. `isSample`: the .bin is large, and 128 pieces of it were read. */
  readonly tokenIds: { readonly least: number; readonly largest: number; readonly isSample: boolean } | null;
  /** The .bin has one more token a document than the index counts (Megatron's own preprocessing). */
  readonly hasUncountedEnds: boolean;
}

/** @throws SuperOffloadError 'environment' with every fault of the .idx and the .bin. */
export async function datasetInfo(ctx: Pick<Context, 'cwd'>, given: string): Promise<DatasetInfo> {
  const prefix = resolve(ctx.cwd, given.replace(/\.(bin|idx)$/, ''));
  const { index, binBytes, faults, hasUncountedEnds } = await findDataset(prefix);
  if (index === null || binBytes === null || faults.length > 0) {
    throw faultsError(
      'environment',
      faults,
      'make it again: superoffload dataset make; the published data: superoffload dataset fetch',
    );
  }
  const { documents, sequences, tokens, type } = index;
  const range = binBytes === 0 ? null : await sampleTokens(prefix, index, binBytes);
  return {
    schemaVersion: 1,
    ...{ prefix, documents, sequences, tokens, type, bytes: binBytes },
    documentTokens: spread(index.documentTokens),
    tokenIds: range && { least: range.least, largest: range.largest, isSample: !range.isWhole },
    hasUncountedEnds,
  };
}

function spread(lengths: Float64Array): DatasetInfo['documentTokens'] {
  const sorted = lengths.toSorted();
  const [shortest, longest] = [sorted[0], sorted.at(-1)];
  if (shortest === undefined || longest === undefined) return null;
  const upper = sorted[Math.floor(sorted.length / 2)] ?? longest;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? shortest;
  return { shortest, median: (lower + upper) / 2, longest };
}
