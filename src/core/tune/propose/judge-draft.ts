import type { Case, System } from '../../experiment/case.ts';
import { predictDurationMs } from '../../model/duration.ts';
import { smallestFittingRatio } from '../../model/fitting-ratio.ts';
import { predictTime } from '../../model/step-time.ts';
import type { Needs } from '../../search/frontier.ts';
import type { Capacity } from '../../search/predicted-edge.ts';
import type { Draft } from './drafts.ts';
import {
  corrected,
  isRoom,
  machineFor,
  predictedNeeds,
  roomOf,
  shortageText,
  type MemoryFactors,
} from '../needs.ts';
import { ratiosToTry } from './ratios.ts';
import type { TuneRequest } from '../request.ts';
import type { Candidate, Rejected } from '../tuning.ts';
import { whyOf } from './why.ts';

/** What is needed to judge drafts. */
export interface Judge {
  readonly request: TuneRequest;
  readonly system: System;
  /** The system with assumed rates where it does not say. */
  readonly assumed: System;
  readonly capacity: Capacity;
  readonly factors: MemoryFactors;
}

export interface Judged {
  readonly candidates: readonly Candidate[];
  /** Why there is none; null where there is one, and where nothing is lost by it. */
  readonly rejected: Rejected | null;
}

/** A draft's candidates: one, or one a ratio. */
export function judgeDraft(judge: Judge, draft: Draft): Judged {
  const { request, capacity } = judge;
  const { memoryMargin } = request.budget;
  if (draft.variant.savesMemory && !saves(judge, draft)) return { candidates: [], rejected: null };
  const all = subjectsOf(judge, draft).map((subject) => needyOf(judge, subject));
  // Ratios that cut between the same two subgroups are the same configuration.
  const distinct = all.filter((one, index) => !isSameNeed(one.predicted, all[index - 1]?.predicted));
  const fitting = distinct.filter(({ needs }) => isRoom(roomOf(needs, capacity, memoryMargin)));
  if (fitting.length > 0) {
    return { candidates: fitting.map((needy) => candidateOf(judge, draft, needy)), rejected: null };
  }
  const last = needyOf(judge, all.at(-1)?.subject ?? draft.subject);
  const reason = shortageText(last.needs, capacity, memoryMargin);
  return { candidates: [], rejected: { subject: last.subject, reason } };
}

/** A case with what it needs, GiB: as predicted, and by what trials have shown. */
interface Needy {
  readonly subject: Case;
  readonly predicted: Needs;
  readonly needs: Needs;
}

function needyOf({ request, system, factors }: Judge, subject: Case): Needy {
  const predicted = predictedNeeds(subject, system, request.exclusiveHost);
  return { subject, predicted, needs: corrected(predicted, factors(subject.mode)) };
}

function isSameNeed(a: Needs, b: Needs | undefined): boolean {
  return a.gpuGiB === b?.gpuGiB && a.hostGiB === b.hostGiB;
}

/** A draft at each ratio worth a look; where none fits, at the one that comes nearest. */
function subjectsOf(judge: Judge, { subject, variant }: Draft): Case[] {
  const { request, system, factors } = judge;
  if (subject.ratio === null) return [subject];
  if (request.fixed.ratio !== null) return [{ ...subject, ratio: request.fixed.ratio }];
  // Ranks on the CPU have one memory: a ratio moves nothing there, and the mode's own is what other runs have.
  if (system.accelerator === 'cpu') return [subject];
  const machine = machineFor(system, factors(subject.mode));
  const smallestOn = (on: System): number | null =>
    smallestFittingRatio(subject, on, {
      memoryMargin: request.budget.memoryMargin,
      exclusiveHost: request.exclusiveHost,
    });
  const smallest = smallestOn(machine);
  // Where the GPU has room for a part of it, and the host has none for the rest, that says what is lacking.
  if (smallest === null) return [{ ...subject, ratio: smallestOn(withAnyHost(machine)) ?? 1 }];
  const range = { smallest, mode: subject.mode, few: variant.why !== null };
  return ratiosToTry(range).map((ratio) => ({ ...subject, ratio }));
}

function withAnyHost(system: System): System {
  return { ...system, hostGiB: null, hostGiBPerChip: null };
}

function candidateOf(
  { system, assumed, request }: Judge,
  draft: Draft,
  { subject, predicted: needs }: Needy,
): Candidate {
  const predicted = predictTime(subject, system, request)?.stepMs ?? null;
  const orderMs = predicted ?? predictTime(subject, assumed, request)?.stepMs;
  const launchMs = predictDurationMs(subject, assumed, subject.steps, request);
  if (orderMs === undefined || launchMs === null) throw new Error('assumed rates leave nothing unknown');
  return {
    subject,
    bindCores: draft.bindCores,
    predictedStepMs: predicted,
    orderMs,
    launchSeconds: launchMs / 1000,
    ...needs,
    why: whyOf(draft, subject, system.accelerator),
  };
}

/** GiB: less is within the error of the prediction. */
const worthSaving = 0.5;

/** Whether a setting that is there for memory does save some. */
function saves(judge: Judge, { subject, variant }: Draft): boolean {
  const without = Object.entries(subject.deepspeedOverrides).filter(
    ([key]) => !Object.hasOwn(variant.overrides, key),
  );
  const { predicted: own } = needyOf(judge, subject);
  const { predicted: plain } = needyOf(judge, {
    ...subject,
    deepspeedOverrides: Object.fromEntries(without),
  });
  return plain.gpuGiB - own.gpuGiB > worthSaving || plain.hostGiB - own.hostGiB > worthSaving;
}
