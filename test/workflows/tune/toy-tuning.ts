import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../../src/workflows/context.ts';
import type { ProgressEvent } from '../../../src/workflows/events.ts';
import { planTune, type TunePlan } from '../../../src/workflows/tune/plan-tune.ts';
import type { TuneCommand } from '../../../src/workflows/tune/tune-request.ts';
import { writeToyStack } from '../../e2e/toy-stack.ts';

/**
 * A stack of a shell script as Python (test/e2e/toy-stack.ts) whose step time is read from its own DeepSpeed JSON: the
 * rules meet real launches, logs, stop files and records, a fraction of a second each.
 */
export interface ToySpeeds {
  /** Run ids of every launch there ever was. */
  readonly launches: () => string[];
  /** Shell code that sets `ms` of a step; `$config` is the JSON on one line, `$args` the command line. */
  readonly setSpeed: (code: string) => void;
  /** Shell code that runs before the steps: out of memory, a crash. */
  readonly setStart: (code: string) => void;
  /** Seconds of real time between two steps. */
  readonly setPause: (seconds: number) => void;
}

export interface ToyTuning extends ToySpeeds {
  readonly home: string;
  readonly cwd: string;
  readonly context: Context;
  readonly notes: () => string[];
  readonly plan: (change?: Partial<TuneCommand>) => Promise<TunePlan>;
  readonly withSignal: (signal: AbortSignal) => Context;
  readonly remove: () => void;
}

const script = `#!/bin/sh
folder=$(dirname "$0"); args="$*"
steps=1
while [ $# -gt 0 ]; do case $1 in --train-iters) steps=$2 ;; esac; shift; done
echo "$SUPEROFFLOAD_RUN_ID" >>"$folder/launches"
config=$(tr -d ' \\n' <ds_config.json)
ms=100; pause=0.005
echo " run facts | world size: 1 | accelerator: cpu |"
. "$folder/speed"; . "$folder/pace"; . "$folder/start"
i=1
while [ $i -le $steps ] && ! [ -e stop ]; do
  sleep "$pause"
  echo " iteration $i/ $steps | elapsed time per iteration (ms): $ms.$((i % 7)) | global batch size: 8 |" \\
    "lm loss: 1.0E+01 | loss scale: 1.0 | number of skipped iterations: 0 | number of nan iterations: 0 |"
  i=$((i + 1))
done
echo " peak memory | gpu allocated (GiB): none | gpu reserved (GiB): none | host (GiB): 0.1 | host source: pss |"
echo " training finished | iterations: $steps |"
`;

export const toyCommand: TuneCommand = {
  flags: { models: ['tiny'], chips: 1, modes: ['zero_offload', 'zero_infinity'] },
  ...{ system: 'local', stack: 'toy', launcher: null, bindCores: false, scheduling: {} },
  ...{ maxError: 0.02, limits: {}, configFile: null, dryRun: false, allowDrift: false },
  ...{ objective: 'throughput', bindsCores: false, fresh: false, out: 'tuned', force: false },
  budget: { maxTrials: 8, maxMinutes: 8, memoryMargin: 0.05 },
};

/** Writes the stack `toy` into a state folder. */
export async function writeToySpeeds(home: string): Promise<ToySpeeds> {
  const { folder, launches } = await writeToyStack(home);
  const put = (name: string, text: string): void => {
    writeFileSync(join(folder, name), `${text}\n`);
  };
  put('python', script.trimEnd());
  for (const name of ['speed', 'pace', 'start']) put(name, ':');
  return {
    launches,
    setSpeed: (code) => {
      put('speed', code);
    },
    setStart: (code) => {
      put('start', code);
    },
    setPause: (seconds) => {
      put('pace', `pause=${seconds}`);
    },
  };
}

export async function toyTuning(): Promise<ToyTuning> {
  const cwd = mkdtempSync(join(tmpdir(), 'tune-'));
  const home = join(cwd, 'state');
  mkdirSync(home);
  const speeds = await writeToySpeeds(home);
  const events: ProgressEvent[] = [];
  const withSignal = (signal: AbortSignal): Context => ({
    env: { ...process.env, DS_ACCELERATOR: 'cpu' },
    ...{ cwd, home, packageRoot: join(import.meta.dirname, '..', '..', '..') },
    emit: (event) => events.push(event),
    ...{ signal, force: new AbortController().signal, now: Date.now },
  });
  const context = withSignal(new AbortController().signal);
  return {
    ...speeds,
    ...{ home, cwd, context, withSignal },
    notes: () => events.flatMap((event) => (event.type === 'note' ? [event.message] : [])),
    plan: (change = {}) => planTune(context, { ...toyCommand, ...change }),
    remove: () => {
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}

/** What a folder's file says. */
export function textOf(...path: readonly string[]): string {
  return readFileSync(join(...path), 'utf8');
}

/** The slow way has time to be given up before it has done its steps. A smaller micro-batch takes longer. */
export const offloadIsFastest = `case $config in
  *'"stage":2'*) ms=100 ;;
  *offload_param*) ms=300 pause=0.03 ;;
  *) ms=150 ;;
esac
case $config in *'"gradient_accumulation_steps":1,'*) : ;; *) ms=$((ms * 2)) ;; esac`;
