import { parameterCount } from '../model/shape.ts';
import type { Case } from '../experiment/case.ts';
import { systemLabel } from './system-label.ts';
import type { RunRecord } from './record.ts';

/** What a run says of one fact: `null` where it has no such thing, `undefined` where nobody knows. */
export type Reading = string | number | boolean | null | undefined;

/** One thing that must be alike for a ratio of two runs to be fair. */
export interface FairFact {
  readonly name: string;
  readonly of: (record: RunRecord) => Reading;
  /** How it is written; as it is without. */
  readonly text?: (value: number, record: RunRecord) => string;
  /** Numbers that are this near count as equal: a share of the larger, or for shares the difference itself. */
  readonly within?: { readonly share: number } | { readonly difference: number };
  /** Follows from another fact: a short list that has the other leaves it out. */
  readonly impliedBy?: readonly string[];
}

/** GPU memory may differ by this share before a ratio is called unfair: more memory buys speed. */
const memoryShare = 0.1;
/** Clocks move by this share from run to run of one card at one cap (1980 MHz and 1935 MHz were seen on an H200). */
const clockShare = 0.03;

/** Everything that a ratio of two runs hangs on beside what is compared, in the order in which it is told. */
export const fairFacts: readonly FairFact[] = [
  { name: 'workload', of: ({ workload }) => workload },
  { name: 'dtype', of: ofCase('dtype') },
  { name: 'clipping', of: ofCase('gradientClipping') },
  {
    name: 'clip rate',
    of: ({ case: subject, clipRate }) => (subject?.gradientClipping === 0 ? null : (clipRate ?? undefined)),
    text: (rate) => `${(100 * rate).toFixed(0)}%`,
    within: { difference: 0.05 },
  },
  {
    name: 'skipped steps',
    of: ({ skippedIterations, stepMs }) => skippedIterations / Math.max(1, stepMs.length, skippedIterations),
    text: (_, { skippedIterations, stepMs }) => `${skippedIterations} of ${stepMs.length}`,
    within: { difference: 0.01 },
  },
  { name: 'recomputation', of: ofCase('activationCheckpointing') },
  { name: 'global batch', of: ofCase('globalBatch') },
  { name: 'micro-batch', of: ofCase('microBatch') },
  {
    name: 'accumulation',
    of: ofCase('gradientAccumulation'),
    impliedBy: ['global batch', 'micro-batch', 'chips'],
  },
  { name: 'sequence', of: ofCase('sequenceLength') },
  { name: 'sequence-parallel', of: ofCase('sequenceParallel') },
  { name: 'activation offload', of: ofCase('activationOffload') },
  { name: '16-bit loss', of: ofCase('fp16LmCrossEntropy') },
  {
    name: 'loss chunk',
    of: ({ case: subject }) => (subject === null ? null : (subject.lossChunk ?? 'by rule')),
  },
  { name: 'dropout', of: ofCase('dropout') },
  { name: 'data', of: dataOf, impliedBy: ['workload'] },
  {
    name: 'parameters',
    of: parametersOf,
    text: (count) => `${(count / 1e9).toFixed(3)}e9`,
    within: { share: 0.005 },
  },
  { name: 'tied head', of: tiedHeadOf },
  { name: 'FLOP formula', of: ({ throughput }) => throughput.formula },
  { name: 'ratio', of: ofCase('ratio') },
  { name: 'chips', of: ({ worldSize }) => worldSize },
  { name: 'system', of: ({ system }) => systemLabel(system) },
  {
    name: 'DeepSpeed',
    of: ({ facts, stack, workload }) => facts['deepspeed'] ?? versionOf(stack?.deepspeed, workload),
  },
  { name: 'torch', of: ({ facts, stack, workload }) => facts['torch'] ?? versionOf(stack?.torch, workload) },
  { name: 'stack', of: ({ stack }) => stack?.hash.slice(0, 12) ?? null, impliedBy: ['DeepSpeed', 'torch'] },
  { name: 'attention', of: ({ facts, case: subject }) => facts['attention'] ?? subject?.attention ?? null },
  { name: 'binding', of: bindingOf },
  { name: 'Adam threads', of: adamThreadsOf },
  { name: 'host memory', of: offloadPart('host memory') },
  { name: 'casts', of: offloadPart('casts') },
  { name: 'power cap', of: ofGpu('powerCapWatt'), text: (watt) => `${watt} W` },
  { name: 'GPU clock', of: ofGpu('smClockMhz'), text: (mhz) => `${mhz} MHz`, within: { share: clockShare } },
  {
    name: 'GPU memory',
    of: ({ memory }) => memory.gpuAllocatedGiB,
    text: (gib) => `${gib.toFixed(1)} GiB`,
    within: { share: memoryShare },
  },
];

type PlainKey = {
  [K in keyof Case]-?: Case[K] extends string | number | boolean | null ? K : never;
}[keyof Case];

function ofCase(key: PlainKey): FairFact['of'] {
  return ({ case: subject }) => (subject === null ? null : subject[key]);
}

/** Without a GPU there is none of it; with one that could not be asked, nobody knows. */
function ofGpu(key: 'powerCapWatt' | 'smClockMhz'): FairFact['of'] {
  return ({ conditions, system }) =>
    system.accelerator === 'cpu' ? null : (conditions.gpu?.[key] ?? undefined);
}

/** The path of a data set; generated ones by what they hold, as far as the log says. */
function dataOf({ case: subject, facts }: RunRecord): Reading {
  if (subject === null) return undefined;
  if (subject.dataPath !== null) return subject.dataPath;
  if (subject.workload === 'megatron') return 'a synthetic data set';
  const entropy = facts['data entropy (nats)'];
  return entropy === undefined || entropy === 'none' ? 'generated' : `generated, ${entropy} nats a token`;
}

/** What the log counted; else what the shape has. */
function parametersOf({ case: subject, facts }: RunRecord): Reading {
  const counted = Number(facts['parameters'] ?? Number.NaN);
  if (counted > 0) return counted;
  return subject === null ? undefined : parameterCount(subject.model, subject.sequenceLength);
}

/**
 * Neither the built-in trainer nor the arguments that Megatron gets from here have had another from the first; Megatron
 * prints `untie_embeddings_and_output_weights`.
 */
function tiedHeadOf({ workload, facts }: RunRecord): Reading {
  const untied = facts['untie embeddings and output weights']?.toLowerCase();
  if (untied !== undefined) return untied === 'true' ? 'false' : 'true';
  return facts['tied head'] ?? (workload === 'command' ? undefined : 'true');
}

/** A command of the user's may use any software, or none of this. */
function versionOf(version: string | undefined, workload: RunRecord['workload']): Reading {
  return version ?? (workload === 'command' ? null : undefined);
}

function bindingOf({ placement, workload }: RunRecord): Reading {
  if (placement === undefined) return workload === 'command' ? null : undefined;
  const { binding, hostNumaNodes, exclusiveHost } = placement;
  const nodes = hostNumaNodes === null ? '' : `, host memory of nodes ${hostNumaNodes.join(' ')}`;
  return `${binding}${nodes}${exclusiveHost ? ', whole host' : ''}`;
}

/**
 * How the CPU's optimizer has its memory and casts (patches/deepspeed). The overlap optimizer is another in both, and that
 * is what is compared; a mode whose optimizer is on the GPU, and a log from before there was a choice, has no such thing.
 */
function offloadPart(name: string): FairFact['of'] {
  return ({ facts }) => {
    const said = facts[name];
    return said === undefined || said === 'none' || facts['offload optimizer'] === 'overlap' ? null : said;
  };
}

/** A mode whose optimizer is on the GPU says `none`. */
function adamThreadsOf({ conditions, facts, workload }: RunRecord): Reading {
  if (facts['adam threads'] === 'none' || workload === 'command') return null;
  return conditions.cpuAdamThreads ?? undefined;
}
