import { plainSite, unknownRates, type Case, type System } from '../experiment/case.ts';
import { caseIdOf } from '../experiment/case-id.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { lossChunkOf } from '../workloads/loss-chunk.ts';
import { recordFault } from './record-shape.ts';
import type { RunRecord } from './record.ts';

/** The newest schema of records that this version reads, and the one it writes. */
const knownVersion = 1;

/** A record as this version speaks of it, or why the value is none, in words that follow the file's name. */
export type ReadRecord =
  | { readonly ok: true; readonly record: RunRecord }
  | { readonly ok: false; readonly problem: string; readonly isNewer: boolean };

/** A record of any version of this schema: fields that came later are absent from older ones. */
type OldRecord = Omit<RunRecord, 'tool' | 'case' | 'system' | 'exit' | 'deepspeedHash'> & {
  readonly deepspeedHash?: RunRecord['deepspeedHash'];
  readonly tool?: RunRecord['tool'];
  readonly case: OldCase | null;
  readonly system: OldSystem;
  readonly exit: Omit<RunRecord['exit'], 'plannedAccelerator'> & Partial<RunRecord['exit']>;
};
type OldCase = Omit<Case, CaseAddition> & Partial<Pick<Case, CaseAddition>>;
type CaseAddition = keyof typeof caseThen;
type OldSystem = Omit<System, SystemAddition> & Partial<Pick<System, SystemAddition>>;
type SystemAddition = 'hostGiBPerChip' | 'rates' | 'site';

/** What was true of every case before a case could say otherwise: the trainer had one of each. */
const caseThen = {
  workload: 'builtin',
  sequenceParallel: 1,
  activationOffload: false,
  attention: 'sdpa',
  fp16LmCrossEntropy: false,
  vocabFile: null,
  mergeFile: null,
} as const satisfies Partial<Case>;

/**
 * Brings a stored record to what this version writes. What older ones lack is filled with what was true of them when
 * they were made; what nobody knows any more stays null or absent. A case that gains fields gets the id that the same
 * case has today, so that old and new runs of it meet; the run's own id still holds the old one.
 */
export function migrateRecord(value: unknown): ReadRecord {
  const version = (value as { readonly schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === 'number' && version > knownVersion) {
    const problem = `schema version ${version} is newer than ${knownVersion}, the newest known here`;
    return { ok: false, problem, isNewer: true };
  }
  const fault = recordFault(value);
  if (fault !== null) return { ok: false, problem: fault, isNewer: false };
  return { ok: true, record: withAdditions(value as OldRecord) };
}

function withAdditions(old: OldRecord): RunRecord {
  const subject = old.case === null ? null : caseOf(old.case, old);
  const isSame = subject === old.case;
  return {
    ...old,
    tool: old.tool ?? null,
    case: subject,
    title: titleOf(old.title, old.case, subject),
    caseId: isSame || subject === null ? old.caseId : caseIdOf(subject),
    system: systemOf(old.system),
    exit: exitOf(old),
    ...placementOf(old),
    deepspeedHash: old.deepspeedHash ?? null,
    ...clipRateOf(old),
  };
}

/**
 * Brings a stored plan to the words of today, so that what replays it goes by the name that its record has; what is
 * started stays as it was planned.
 */
export function migratePlan(plan: RunPlan): RunPlan {
  const old = plan.case;
  const subject = old === null ? null : withOverlapMode(old);
  if (subject === null || subject === old) return plan;
  return { ...plan, case: subject, caseId: caseIdOf(subject), title: titleOf(plan.title, old, subject) };
}

/** A title begins with the mode, or with the workload before it (core/plan/plan-case.ts). */
function titleOf(title: string, old: Pick<Case, 'mode'> | null, now: Pick<Case, 'mode'> | null): string {
  if (old === null || now === null || old.mode === now.mode) return title;
  return title.replace(new RegExp(`^(\\w+, )?${old.mode},`), `$1${now.mode},`);
}

/** The overlay's optimizer was a key of the JSON under mode prism before it was a mode of its own. */
function withOverlapMode<C extends Pick<Case, 'mode' | 'deepspeedOverrides'>>(old: C): C {
  const { 'superoffload.optimizer': optimizer, ...deepspeedOverrides } = old.deepspeedOverrides;
  return old.mode === 'prism' && optimizer === 'overlap'
    ? { ...old, mode: 'prism_overlap', deepspeedOverrides }
    : old;
}

/** @returns the same object where nothing is missing. */
function caseOf(older: OldCase, { placement }: Pick<OldRecord, 'placement'>): Case {
  const old = withOverlapMode(older);
  const isWhole = (Object.keys(caseThen) as CaseAddition[]).every((key) => old[key] !== undefined);
  const subject: Case = isWhole ? (old as Case) : { ...caseThen, ...old };
  // Placement came with the rule for chunks of the loss: until then all logits lay in memory at one time.
  const hadRule = placement !== undefined || subject.lossChunk !== undefined;
  if (hadRule || lossChunkOf(subject) === null) return subject;
  return { ...subject, lossChunk: (subject.microBatch * subject.sequenceLength) / subject.sequenceParallel };
}

/** Systems had neither rates nor a site, and a chip's share of the host was the node's over its chips. */
function systemOf(old: OldSystem): System {
  if (old.hostGiBPerChip !== undefined && old.rates !== undefined && old.site !== undefined) {
    return old as System;
  }
  const hostGiBPerChip = old.hostGiB === null ? null : old.hostGiB / old.chipsPerNode;
  return { hostGiBPerChip, rates: unknownRates, site: plainSite, ...old };
}

/** A run was always planned for its system's accelerator; a command of the user's for none that is known. */
function exitOf({ exit, case: subject, system }: OldRecord): RunRecord['exit'] {
  const { plannedAccelerator } = exit;
  if (plannedAccelerator !== undefined) return { ...exit, plannedAccelerator };
  return { ...exit, plannedAccelerator: subject === null ? null : system.accelerator };
}

/** Nobody counted it; without clipping there is nothing to count. */
function clipRateOf({ clipRate, case: subject }: OldRecord): Pick<RunRecord, 'clipRate'> {
  if (clipRate !== undefined || (subject !== null && subject.gradientClipping > 0)) return {};
  return { clipRate: subject === null ? null : 0 };
}

/** Nothing could bind ranks before systems had sites; between then and its first record nobody knows. */
function placementOf({ placement, system, workload }: OldRecord): Pick<RunRecord, 'placement'> {
  if (placement !== undefined || system.site !== undefined || workload === 'command') return {};
  const unbound = { binding: 'none', hostNumaNodes: null, exclusiveHost: false } as const;
  return { placement: { ...unbound, hostGiB: null, machine: null } };
}
