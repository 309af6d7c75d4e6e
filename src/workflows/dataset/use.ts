import { join } from 'node:path';
import { fileBytes, findDataset, sampleTokens } from '../../adapters/dataset/data-file.ts';
import { requireSpace } from '../../adapters/dataset/disk-space.ts';
import { writeSynthetic } from '../../adapters/dataset/write-dataset.ts';
import { tokenTypes } from '../../core/dataset/indexed.ts';
import { syntheticName, type SyntheticRequest } from '../../core/dataset/synthetic.ts';
import { tokenTypeFor } from '../../core/dataset/tokens.ts';
import { faultsError, type Fault } from '../../errors.ts';

/** What a run asks of its data. */
export interface DatasetNeed {
  /** Every token id must be below it: the vocabulary of the model, padded. */
  readonly vocabulary: number;
  /** The fewest tokens the run can work with: one sample, its sequence and one more. A longer run goes over it again. */
  readonly tokens: number;
}

/**
 * Refuses, before anything is launched, a data set in Megatron's format that a run could not read.
 * Token ids are checked in all of a .bin up to 32 MiB, else in 128 evenly spaced pieces of 256 KiB: an id that is too
 * large elsewhere is left to the run itself.
 * @throws SuperOffloadError 'environment' with every fault: missing, cut, not matching, too short, ids too large.
 */
export async function requireDataset(prefix: string, need: DatasetNeed): Promise<void> {
  const { index, binBytes, faults: found } = await findDataset(prefix);
  const faults = [...found];
  if (index !== null && index.tokens < need.tokens) {
    const expected = `at least ${need.tokens}, one sample`;
    faults.push({ place: `${prefix}.idx`, problem: `has ${index.tokens} tokens`, expected });
  }
  if (index !== null && binBytes !== null && found.length === 0 && binBytes > 0) {
    faults.push(...idFaults(prefix, need.vocabulary, await sampleTokens(prefix, index, binBytes)));
  }
  if (faults.length > 0) throw faultsError('environment', faults, await hintFor(prefix, need));
}

function idFaults(prefix: string, vocabulary: number, range: { least: number; largest: number }): Fault[] {
  const worst = range.least < 0 ? range.least : range.largest;
  if (worst >= 0 && worst < vocabulary) return [];
  const expected = `0 to ${vocabulary - 1}: the model has a vocabulary of ${vocabulary}`;
  return [{ place: `${prefix}.bin`, problem: `has the token ${worst}`, expected }];
}

async function hintFor(prefix: string, { vocabulary, tokens }: DatasetNeed): Promise<string> {
  const endings = [
    ['.bin', prefix.slice(0, -4)],
    ['.idx', prefix.slice(0, -4)],
  ] as const;
  const ending = endings.find(([end]) => prefix.endsWith(end));
  if (ending !== undefined) return `give the prefix, without ${ending[0]}: ${ending[1]}`;
  const isThere = (await Promise.all(['idx', 'bin'].map((end) => fileBytes(`${prefix}.${end}`)))).some(
    (bytes) => bytes !== null,
  );
  return [
    ...(isThere ? [`look at it: superoffload dataset info ${prefix}`] : []),
    "the paper's data: superoffload dataset fetch",
    'your own text: superoffload dataset make --text FILE... --out DIR',
    `for a benchmark: superoffload dataset make --synthetic ${Math.max(tokens, 1_000_000)} --vocab-size ${vocabulary} --out DIR`,
  ].join('\n');
}

/** Where {@link ensureSynthetic} keeps such a set; nothing is read or written. */
export function syntheticPrefix(home: string, request: SyntheticRequest): string {
  return join(home, 'datasets', 'synthetic', syntheticName(request));
}

/**
 * A synthetic data set of exactly so many tokens, made when it is not there or is damaged; always the same bytes.
 * @returns its prefix below `home`.
 * @throws SuperOffloadError 'environment' on a full disk or a read-only folder.
 */
export async function ensureSynthetic(
  home: string,
  request: SyntheticRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  const prefix = syntheticPrefix(home, request);
  const { index, faults } = await findDataset(prefix);
  if (index?.tokens === request.tokens && faults.length === 0) return prefix;
  requireSpace(home, request.tokens * tokenTypes[tokenTypeFor(request.vocabulary)].bytes);
  await writeSynthetic(prefix, request, { signal });
  return prefix;
}
