import { quoteWord } from '../../core/launch/quote.ts';
import type { FetchReport } from '../../workflows/dataset/fetch-plan.ts';
import type { DatasetInfo } from '../../workflows/dataset/info.ts';
import type { MakeReport } from '../../workflows/dataset/make.ts';
import type { VerifyReport } from '../../workflows/dataset/verify.ts';
import { resultTable } from './result-table.ts';

export function fetchText(report: FetchReport): string {
  const columns = [{ title: 'file' }, { title: 'bytes', align: 'right' }, { title: 'state' }] as const;
  const rows = report.files.map(({ file, bytes, state }) => [file, String(bytes), state]);
  const isComplete = report.files.every(({ state }) => state !== 'to fetch');
  return [
    resultTable(columns, rows),
    `from ${report.source}`,
    `to ${report.directory}`,
    ...(isComplete ? [`use it with: --data-path ${report.prefix}`] : []),
  ].join('\n');
}

export function verifyText({ checks }: VerifyReport): string {
  const lines = checks.map(({ path, by, problem }) => {
    const proof =
      by === 'manifest' ? 'size and sha256 are those of the published file' : 'index and .bin agree';
    return problem === null ? `ok      ${path}: ${proof}` : `FAULT   ${path} ${problem}`;
  });
  const faults = checks.filter(({ problem }) => problem !== null).length;
  const next = 'fetch or make it again: superoffload dataset fetch, superoffload dataset make';
  return [...lines, ...(faults === 0 ? [] : [next])].join('\n');
}

export function infoText(info: DatasetInfo): string {
  const { documentTokens: spread, tokenIds: ids } = info;
  const rows: [string, string | null][] = [
    ['data set', info.prefix],
    ['documents', String(info.documents)],
    ['sequences', info.sequences === info.documents ? null : String(info.sequences)],
    ['tokens', String(info.tokens)],
    ['type', info.type],
    ['bytes', `${info.bytes} in the .bin`],
    [
      'document',
      spread &&
        `${spread.shortest} tokens the shortest, ${spread.median} median, ${spread.longest} the longest`,
    ],
    [
      'token ids',
      ids && `${ids.least} to ${ids.largest}${ids.isSample ? ', in 128 samples of the .bin' : ''}`,
    ],
    [
      'note',
      info.hasUncountedEnds
        ? 'each document has an end-of-document token that the index does not count'
        : null,
    ],
  ];
  return aligned(rows);
}

export function makeText(report: MakeReport): string {
  const { isDryRun, prefix, documents, tokens } = report;
  return aligned([
    [isDryRun ? 'would write' : 'written', `${prefix}.bin, ${prefix}.idx`],
    ['documents', documents === null ? null : String(documents)],
    ['tokens', tokens === null ? null : String(tokens)],
    ['vocabulary', report.vocabulary === null ? null : String(report.vocabulary)],
    ['type', report.type],
    ['vocab file', report.vocabFile],
    ['merge file', report.mergeFile],
    [
      'entropy',
      report.entropy === null
        ? null
        : `${report.entropy.toFixed(4)} nats a token: no model's loss goes below it`,
    ],
    ['use it with', isDryRun ? null : useFlags(report)],
  ]);
}

/** The built-in trainer reads tokens only; Megatron also wants to know what they were made with. */
function useFlags({ prefix, vocabFile, mergeFile }: MakeReport): string {
  const path = `--data-path ${quoteWord(prefix)}`;
  if (vocabFile === null || mergeFile === null) return path;
  const files = `--vocab-file ${quoteWord(vocabFile)} --merge-file ${quoteWord(mergeFile)}`;
  return `${path}; --workload megatron takes ${files} too`;
}

function aligned(rows: readonly (readonly [string, string | null])[]): string {
  const shown = rows.filter(([, value]) => value !== null);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value ?? ''}`).join('\n');
}
