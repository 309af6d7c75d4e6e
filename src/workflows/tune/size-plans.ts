import { sha256 } from '../../adapters/campaign-store.ts';
import { canonicalJson } from '../../core/experiment/case-id.ts';
import type { Case } from '../../core/experiment/case.ts';
import type { Proposal } from '../../core/tune/propose/propose.ts';
import type { TuneRequest } from '../../core/tune/request.ts';
import { startTuning } from '../../core/tune/search/search-state.ts';
import type { Tuning } from '../../core/tune/tuning.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Planning } from '../plan/planning.ts';
import type { TuneCommand } from './tune-request.ts';

/** One tuning: of one size, or with `--objective size` of all that may be the largest. */
export interface SizePlan {
  /** What the files of the choice are called, without their ending. */
  readonly name: string;
  /** Sixteen hexadecimal digits over what is asked: equal keys are one tuning, whatever its budget. */
  readonly key: string;
  readonly request: TuneRequest;
  /** The search before its first trial. */
  readonly tuning: Tuning;
  readonly rejected: Proposal['rejected'];
}

/**
 * One tuning a size, or one of all of them.
 * @param bases one a size, the smallest first
 * @throws SuperOffloadError 'environment' where nothing fits, with what each mode lacks.
 */
export function sizePlans(
  command: TuneCommand,
  planning: Planning,
  bases: readonly Case[],
  modes: TuneRequest['modes'],
): SizePlan[] {
  const groups = command.objective === 'size' ? [bases] : bases.map((base) => [base]);
  const isNamed = command.flags.models !== undefined;
  const sizes = groups.flatMap((group): SizePlan[] => {
    const [base] = group;
    if (base === undefined) return [];
    const request = requestFor(command, planning, { base, modes, models: group.map(({ model }) => model) });
    const named = { name: nameOf(request), key: keyOf(request, planning.system.name) };
    return [{ ...named, ...startPlannable(request, planning) }];
  });
  const fitting = sizes.filter(({ tuning }) => tuning.candidates.length > 0);
  // A size that nobody named and that fits in no way is left out, as `throughput` leaves it out.
  if (fitting.length > 0) return isNamed ? sizes : fitting;
  const reasons = sizes.flatMap(({ rejected }) => rejected).map(rejectedText);
  throw new SuperOffloadError({
    code: 'environment',
    message: ['nothing fits here', ...new Set(reasons)].join('\n'),
    hint: 'name a smaller --model; see `superoffload models --memory`',
  });
}

/**
 * Modes that this tool refuses for such a case, as what trains wrongly without a word, are none to choose from.
 * @throws SuperOffloadError what it says of them where it refuses all: then it is the machines or the flags.
 */
function startPlannable(
  request: TuneRequest,
  planning: Planning,
): Pick<SizePlan, 'request' | 'tuning' | 'rejected'> {
  const started = startTuning(request, planning.system);
  const firsts = new Map(
    started.tuning.candidates.map(({ subject }) => [subject.mode, subject] as const).reverse(),
  );
  const refusals = [...firsts.values()].flatMap((subject) => {
    const error = refusalOf(subject, planning);
    return error === null ? [] : [{ subject, error }];
  });
  const [first] = refusals;
  if (first === undefined) return { request, ...started };
  if (refusals.length === firsts.size) throw first.error;
  const refused = new Set(refusals.map(({ subject }) => subject.mode));
  const modes = [...firsts.keys()].filter((mode) => !refused.has(mode));
  const allowed = { ...request, modes };
  const { tuning } = startTuning(allowed, planning.system);
  const rejected = refusals.map(({ subject, error }) => ({
    subject,
    reason: error.message.replaceAll('\n', ' '),
  }));
  return { request: allowed, tuning, rejected: [...started.rejected, ...rejected] };
}

function refusalOf(subject: Case, planning: Planning): SuperOffloadError | null {
  try {
    planning.planCases([subject]);
    return null;
  } catch (error) {
    if (error instanceof SuperOffloadError && ['usage', 'config'].includes(error.code)) return error;
    throw error;
  }
}

function rejectedText({ subject: { mode, model }, reason }: Proposal['rejected'][number]): string {
  return `${mode} ${model.name}: ${reason}`;
}

function requestFor(
  { objective, budget, flags, scheduling, bindsCores, dryRun }: TuneCommand,
  { machine, overlay, stack, system }: Planning,
  of: Pick<TuneRequest, 'base' | 'models' | 'modes'>,
): TuneRequest {
  // Of another machine nobody has looked at this one's nodes, and the stack here is not the one there.
  return {
    objective,
    budget,
    ...of,
    fixed: {
      microBatch: flags.microBatch ?? null,
      activationCheckpointing: flags.activationCheckpointing ?? null,
      activationOffload: flags.activationOffload ?? null,
      ratio: flags.ratio ?? null,
      bindCores: bindsCores ? true : null,
    },
    exclusiveHost: scheduling.exclusiveHost ?? false,
    numaNodes: system.name === 'local' ? machine.facts.cpu.numaNodes : null,
    hasOverlay: overlay === null || (dryRun && stack?.accelerator !== system.accelerator),
  };
}

/** `2B-1chip-b8-s1024`; with `--objective size` the model is what is searched. */
function nameOf({ objective, base, models }: TuneRequest): string {
  const size = objective === 'size' ? 'largest' : (models[0]?.name ?? '').toLowerCase();
  const plain = size.replaceAll(/[^a-z0-9.]+/g, '-');
  return `${plain}-${base.chips}chip-b${base.globalBatch}-s${base.sequenceLength}`;
}

function keyOf(request: TuneRequest, system: string): string {
  const { objective, base, models, modes, fixed, exclusiveHost, budget } = request;
  const { memoryMargin } = budget;
  const what = { objective, base, models, modes, fixed, exclusiveHost, memoryMargin, system };
  return sha256(canonicalJson(what)).slice(0, 16);
}
