import { faultsError, type Fault } from '../../errors.ts';
import type { MakeReport } from '../../workflows/dataset/make.ts';
import { parseCount, parseNumber } from '../flags/values.ts';
import type { CommandIo, CommandModule } from './module.ts';

type Parent = Parameters<CommandModule['declare']>[0];

export const declare: CommandModule['declare'] = (command, io) => {
  declareFetch(command, io);
  declareVerify(command, io);
  declareMake(command, io);
  command
    .command('info')
    .description('say what a data set holds')
    .argument('<prefix>', 'path of a .bin and .idx without the ending')
    .option('--json', 'print JSON')
    .action(async (prefix, options) => {
      const { datasetInfo } = await import('../../workflows/dataset/info.ts');
      const { infoText } = await import('../text/dataset.ts');
      const info = await datasetInfo(io.context, prefix);
      io.print(options.json === true ? JSON.stringify(info, null, 2) : infoText(info));
    });
};

function declareFetch(command: Parent, io: CommandIo): void {
  command
    .command('fetch')
    .description(
      "fetch the published data by Git LFS from the artifact's repository; goes on where it stopped",
    )
    .option('--source <url|path>', 'another copy of that repository')
    .option('--out <dir>', 'where to (default: datasets/gpt2 in the state folder)')
    .option('--dry-run', 'print what would be fetched, fetch nothing')
    .option('--json', 'print JSON')
    .action(async ({ source, out, dryRun, json }) => {
      const { planFetch } = await import('../../workflows/dataset/fetch-plan.ts');
      const { fetchDataset } = await import('../../workflows/dataset/fetch.ts');
      const { fetchText } = await import('../text/dataset.ts');
      const plan = await planFetch(io.context, { source, out });
      const report = dryRun === true ? plan.report : await fetchDataset(io.context, plan);
      io.print(json === true ? JSON.stringify(report, null, 2) : fetchText(report));
    });
}

function declareVerify(command: Parent, io: CommandIo): void {
  command
    .command('verify')
    .description('check published files by size and sha256, and every .idx with its .bin')
    .argument('[prefix|dir]', 'a data set or a folder of them (default: what fetch fetches)')
    .option('--json', 'print JSON')
    .action(async (target, options) => {
      const { verifyDataset } = await import('../../workflows/dataset/verify.ts');
      const { verifyText } = await import('../text/dataset.ts');
      const { exitCodes } = await import('../../errors.ts');
      const report = await verifyDataset(io.context, target);
      io.print(options.json === true ? JSON.stringify(report, null, 2) : verifyText(report));
      if (report.checks.some(({ problem }) => problem !== null)) io.exitWith(exitCodes.environment);
    });
}

function declareMake(command: Parent, io: CommandIo): void {
  command
    .command('make')
    .description("make a data set in Megatron's format of text, or a synthetic one for benchmarks")
    .option(
      '--text <file...>',
      'UTF-8: a .jsonl has one document a line, its "text"; any other file is one document',
    )
    .option('--synthetic <tokens>', 'so many tokens of a random text of known entropy', parseCount)
    .requiredOption('--out <dir>', 'folder for the data set')
    .option('--vocab <file>', 'a vocab.json as GPT-2 has it; else one is learned from the text')
    .option('--merges <file>', 'the merges.txt that belongs to it')
    .option(
      '--vocab-size <tokens>',
      'tokens to learn at most, or of the synthetic text (default: 50257)',
      parseCount,
    )
    .option('--seed <number>', 'of the synthetic text (default: 1234)', parseNumber)
    .option('--stack <name>', 'stack whose Python tokenizes (default: the first one that can)')
    .option('--dry-run', 'check everything, write nothing')
    .option('--json', 'print JSON')
    .action(async ({ json, dryRun, ...options }) => {
      const report = await make(io, { ...options, dryRun: dryRun ?? false });
      const { makeText } = await import('../text/dataset.ts');
      io.print(json === true ? JSON.stringify(report, null, 2) : makeText(report));
    });
}

interface MakeFlags {
  readonly out: string;
  readonly dryRun: boolean;
  readonly text?: string[];
  readonly synthetic?: number;
  readonly vocab?: string;
  readonly merges?: string;
  readonly vocabSize?: number;
  readonly seed?: number;
  readonly stack?: string;
}

async function make({ context }: CommandIo, flags: MakeFlags): Promise<MakeReport> {
  const { text, synthetic, out, dryRun, vocab, merges, stack, vocabSize: vocabulary = 50_257 } = flags;
  const faults = contradictions(flags);
  if (faults.length > 0) throw faultsError('usage', faults);
  if (synthetic !== undefined) {
    const { makeSynthetic } = await import('../../workflows/dataset/make.ts');
    return makeSynthetic(context, { vocabulary, tokens: synthetic, seed: flags.seed ?? 1234, out, dryRun });
  }
  const { makeFromText } = await import('../../workflows/dataset/text.ts');
  return makeFromText(context, { texts: text ?? [], out, vocab, merges, vocabulary, stack, dryRun });
}

/** A flag that the other flags leave nothing to say. */
function contradictions({ text, synthetic, vocab, merges, vocabSize, seed, stack }: MakeFlags): Fault[] {
  const faults: Fault[] = [];
  if ((text === undefined) === (synthetic === undefined)) {
    const problem = text === undefined ? 'one of them is needed' : 'both are given';
    faults.push({ place: '--text, --synthetic', problem, expected: '--text FILE... or --synthetic TOKENS' });
  }
  const ofText = { '--vocab': vocab, '--merges': merges, '--stack': stack };
  for (const [place, value] of Object.entries(synthetic === undefined ? { '--seed': seed } : ofText)) {
    if (value === undefined) continue;
    faults.push({
      place,
      problem: `says nothing about ${synthetic === undefined ? '--text' : '--synthetic'}`,
    });
  }
  if (vocab !== undefined && vocabSize !== undefined) {
    faults.push({ place: '--vocab-size', problem: 'says nothing beside --vocab, which has a size' });
  }
  return faults;
}
