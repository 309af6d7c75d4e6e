import { describe, expect, it } from 'vitest';
import { simulateMachine, tuneOn } from '../../../../bench/tune-machine.ts';
import { isRoom, roomOf } from '../../../../src/core/tune/needs.ts';
import { nextTrial } from '../../../../src/core/tune/search/next-trial.ts';
import { candidateKey } from '../../../../src/core/tune/propose/propose.ts';
import {
  startTuning,
  withKnownTrials,
  withTrial,
  type KnownTrial,
} from '../../../../src/core/tune/search/search-state.ts';
import type { Tuning } from '../../../../src/core/tune/tuning.ts';
import { h200, measured, requestFor } from '../sample-tuning.ts';

const request = requestFor('7B');
const context = { request, system: h200 };
const start = startTuning(request, h200).tuning;
const { launch } = simulateMachine(request, h200, 4);
const whole = tuneOn(launch, request, h200, start);

function knownOf({ trials, candidates }: Tuning): KnownTrial[] {
  return trials.map(({ candidate, ...trial }) => {
    const tried = candidates[candidate];
    if (tried === undefined) throw new Error(`there is no candidate ${candidate}`);
    return { ...trial, key: candidateKey(tried) };
  });
}

describe('the state of a search', () => {
  it('goes on from any of its trials as if it had not stopped', () => {
    const known = knownOf(whole.tuning);
    expect(known.length).toBeGreaterThan(1);
    for (const kept of [1, known.length - 1]) {
      const again = withKnownTrials(start, known.slice(0, kept), context);
      const went = tuneOn(launch, request, h200, again);
      expect(went.end).toEqual(whole.end);
      expect(knownOf(went.tuning).map(({ key }) => key)).toEqual(known.map(({ key }) => key));
    }
  });

  it('counts stored trials as known, for nothing of its budget', () => {
    const stored = knownOf(whole.tuning).map((trial) => ({ ...trial, isStored: true }));
    const again = withKnownTrials(start, stored, context);
    expect(again.minutes).toBe(0);
    expect(nextTrial(again)).toMatchObject({ type: 'done', best: whole.end.best });
  });

  it('leaves out what is no candidate now', () => {
    const { candidate, ...trial } = measured(0, 100);
    expect(withKnownTrials(start, [{ ...trial, key: `no case ${candidate}` }], context)).toEqual(start);
  });

  it('offers more where a trial took less memory than predicted, behind all others, and still with the margin', () => {
    const index = start.candidates.findIndex(({ subject }) => subject.mode === 'prism_overlap');
    const tried = start.candidates[index];
    if (tried === undefined) throw new Error('prism_overlap has a candidate');
    const took = { gpuGiB: tried.gpuGiB * 0.93, hostGiB: tried.hostGiB };
    const after = withTrial(start, measured(index, 1000, took), { ...context, minutes: 1 });
    expect(after.candidates.length).toBeGreaterThan(start.candidates.length);
    expect(after.candidates.slice(0, start.candidates.length)).toEqual(start.candidates);
    const found = after.candidates.slice(start.candidates.length);
    const least = Math.min(...found.map(({ subject }) => subject.ratio ?? 1));
    expect(least).toBeLessThan(tried.subject.ratio ?? 1);
    for (const { gpuGiB, hostGiB, subject } of found) {
      expect(subject.mode).toBe('prism_overlap');
      const needs = { gpuGiB: gpuGiB * 0.93, hostGiB };
      expect(isRoom(roomOf(needs, after.capacity, 0.05 - 1e-9))).toBe(true);
    }
  });
});
