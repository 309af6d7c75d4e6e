import type { IterationEvent, LogEvent } from '../events.ts';
import type { LogFormat } from './format.ts';

/** runtime/pipe/engine.py: `steps: 4 loss: 2.0 iter time (s): 0.51 samples/sec: 15.6`. */
const pipeline =
  /^steps: (\d+) loss: (-?(?:\d+\.\d+|nan|inf)) (?:\S+: \S+ )*iter time \(s\): (\d+\.\d+) samples\/sec: (\d+\.\d+)$/;
/** runtime/engine.py, _report_progress: `[Rank 0] step=3, skipped=0, lr=[0.001], mom=[...]`. */
const progress = /\[Rank \d+\] step=(\d+), skipped=(\d+), lr=\[[^\]]*\], mom=\[.*\]$/;
/** utils/timer.py, ThroughputTimer.stop. The first two steps are not timed by it (start_step=2). */
const throughput =
  /global_step=(\d+), RunningAvgSamplesPerSec=[^,]+, CurrSamplesPerSec=(\d+(?:\.\d+)?(?:e[-+]?\d+)?), MemAllocated=[\d.]+GB, MaxMemAllocated=[\d.]+GB$/;
/** launcher/launch.py. */
const worldSize = /\[launch\.py:\d+:main\] dist_world_size=(\d+)$/;
const returnCode = /exits with return code = (-?\d+)$/;
const cleanExit = /\[launch\.py:\d+:main\] Process \d+ exits successfully\.$/;
/** runtime/config.py prints the whole configuration: each value, then the user's JSON. */
const batchSize =
  /^(?:\[.*\[config\.py:\d+:print\] )?\s*"?(train_batch_size|train_micro_batch_size_per_gpu)"?(?: \.+|:) (\d+),?\s*$/;

/** The DeepSpeed engine's and launcher's own lines, for scripts that print nothing themselves. */
export const deepspeed: LogFormat = {
  name: 'deepspeed',
  needles: [
    ' iter time (s): ',
    ', skipped=',
    'CurrSamplesPerSec=',
    'dist_world_size=',
    'return code =',
    'exits successfully',
    'train_batch_size',
    'train_micro_batch_size',
  ],
  parse: (text) => parseStep(text) ?? parseLauncher(text),
};

function parseStep(text: string): LogEvent | undefined {
  const pipe = pipeline.exec(text);
  if (pipe !== null) {
    const stepMs = Number(pipe[3]) * 1000;
    const loss = pipe[2] === 'inf' ? Infinity : pipe[2] === '-inf' ? -Infinity : Number(pipe[2]);
    return iteration({ iteration: Number(pipe[1]), stepMs, loss });
  }
  const timed = throughput.exec(text);
  if (timed !== null) return iteration({ iteration: Number(timed[1]), samplesPerSecond: Number(timed[2]) });
  const step = Number(progress.exec(text)?.[1] ?? 0);
  // Step 0 is reported once when the engine is built.
  return step === 0 ? undefined : iteration({ iteration: step });
}

function parseLauncher(text: string): LogEvent | undefined {
  const world = worldSize.exec(text)?.[1];
  if (world !== undefined) return { type: 'facts', facts: { dist_world_size: world } };
  const batch = batchSize.exec(text);
  if (batch !== null) return { type: 'facts', facts: { [batch[1] ?? '']: batch[2] ?? '' } };
  const code = returnCode.exec(text)?.[1];
  if (code !== undefined) return { type: 'exit', code: Number(code) };
  return cleanExit.test(text) ? { type: 'exit', code: 0 } : undefined;
}

function iteration(given: Pick<IterationEvent, 'iteration'> & Partial<IterationEvent>): IterationEvent {
  return {
    type: 'iteration',
    plannedIterations: null,
    stepMs: null,
    loss: null,
    lossScale: null,
    gradNorm: null,
    globalBatch: null,
    sequenceLength: null,
    skippedIterations: 0,
    nanIterations: 0,
    loggedTflops: null,
    ...given,
  };
}
