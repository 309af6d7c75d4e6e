import { modesOfConfig } from '../../deepspeed/mode-of-config.ts';
import type { JsonObject } from '../../deepspeed/modes/mode.ts';
import { modes } from '../../deepspeed/modes/registry.ts';
import { objectAt } from '../../deepspeed/super-offload.ts';
import type { Case, ModeName, System } from '../../experiment/case.ts';
import { settingWords } from '../../experiment/setting-words.ts';
import { unknownRates, type HardwareRates } from '../../experiment/case.ts';
import type { LogState } from '../../logs/state.ts';
import { cpuRatio } from '../../model/memory.ts';
import { caseTflops, parameterCount } from '../../model/shape.ts';
import { median } from '../../stats/median.ts';
import { formatCount, formatTokens } from '../../text/format.ts';
import { shownLine } from '../../text/plain.ts';
import type { FigureSystem } from '../figure-system.ts';
import type { RunRecord } from '../../results/record.ts';
import type { MachineDemand } from './bounds.ts';
import type { Timeline } from './timeline-file.ts';

/** A run with the timeline of one of its steps. */
export interface TracedRun {
  readonly timeline: Timeline;
  /** null of a folder without a record. */
  readonly runId: string | null;
  readonly startedUtc: string;
  readonly mode: ModeName | null;
  /** The mode's, or the folder's name. */
  readonly title: string;
  readonly ratio: number | null;
  /** What else was set beside the mode: `clipping 1, superoffload.speculation=0`. Empty: nothing, or nothing is known. */
  readonly settings: string;
  readonly subject: Subject;
  readonly machine: TracedMachine;
  readonly functional: boolean;
  readonly usualStepMs: number | null;
  /** null where the log does not say what was computed. */
  readonly demand: MachineDemand | null;
}

/** What was trained; runs that agree in it stand in one picture, one above another. */
export interface Subject {
  readonly parameters: number;
  /** `2B`; null where nothing says. */
  readonly size: string | null;
  readonly chips: number;
  readonly globalBatch: number;
  readonly sequenceLength: number;
  readonly dtype: string;
  /** null where nothing says. */
  readonly isRecomputed: boolean | null;
}

export interface TracedMachine {
  /** As files are called. */
  readonly name: string;
  /** Of the system that the run was planned for; null where only a log speaks of the machine. */
  readonly profile: string | null;
  readonly title: string;
  readonly rates: HardwareRates;
  /** What a log alone knows of it too: the device and the cores. */
  readonly device: string;
}

/**
 * @param machine the one that the record is of
 * @returns null for a run of a command of the user's: nothing is known of its model.
 */
export function tracedRun(record: RunRecord, timeline: Timeline, machine: FigureSystem): TracedRun | null {
  const { case: subject, system, facts } = record;
  if (subject === null) return null;
  const { model, chips, globalBatch, sequenceLength, dtype, activationCheckpointing } = subject;
  const counted = Number(facts['parameters']);
  const parameters = counted > 0 ? counted : parameterCount(model, sequenceLength);
  return {
    ...{ timeline, runId: record.runId, startedUtc: record.startedUtc, mode: subject.mode },
    title: modes[subject.mode].title,
    ratio: subject.ratio,
    settings: settingWords({ ...subject, ratio: null, activationCheckpointing: false }),
    subject: {
      ...{ parameters, size: shownLine(model.name, 24), chips, globalBatch, sequenceLength, dtype },
      isRecomputed: activationCheckpointing,
    },
    machine: {
      ...{ name: machine.name, profile: system.name, title: machine.title },
      rates: machine.system.rates,
      device: `${facts['device'] ?? system.gpuName ?? 'cpu'} ${facts['cores'] ?? system.cores}`,
    },
    functional: record.functional,
    usualStepMs: record.statistics?.medianMs ?? null,
    demand: caseDemand(subject, parameters, system),
  };
}

/**
 * What a step of a case asks of its machine.
 * @param parameters of the model, as the run counted them where it did
 */
export function caseDemand(subject: Case, parameters: number, { chipsPerNode }: System): MachineDemand {
  const { mode, chips } = subject;
  return {
    step: {
      // TFLOPS of a step of one second are its TFLOP.
      forwardFlops: (caseTflops(subject, 1000).modelTflops / 3) * 1e12,
      cpuParameters: ((modes[mode].offloadsOptimizer ? cpuRatio(subject) : 0) * parameters) / chips,
      linkBytesPerParameter: 2,
    },
    ranksPerNode: Math.min(chips, chipsPerNode),
  };
}

/** What lies beside a timeline where no record does: the trainer's log, and its DeepSpeed JSON. */
export interface BareFolder {
  readonly name: string;
  readonly log: LogState;
  readonly config: JsonObject;
}

/**
 * A run of the built-in trainer that was started by hand.
 * @returns what its log or JSON lacks, for a person
 */
export function tracedFolder({ name, log, config }: BareFolder, timeline: Timeline): TracedRun | string {
  const { facts, globalBatch, sequenceLength, loggedTflop } = log;
  const [parameters, chips] = [Number(facts['parameters']), Number(facts['world size'])];
  if (!(parameters > 0) || !(chips > 0) || globalBatch === null || sequenceLength === null)
    return 'its log has no facts of the built-in trainer (parameters, world size, batch, sequence length)';
  const [mode = null] = modesOfConfig(config, { superOffload: 'key', sequenceParallel: 1 });
  const offload = objectAt(objectAt(config, 'zero_optimization'), 'offload_optimizer');
  const ratio = typeof offload['ratio'] === 'number' ? offload['ratio'] : null;
  const onCpu = mode !== null && modes[mode].offloadsOptimizer ? (ratio ?? 1) : 0;
  const isCpu = facts['accelerator'] === 'cpu';
  const device = facts['device'] ?? 'unknown device';
  const title = `${chips} x ${device}`;
  const steps = log.stepMs.values().filter((_, index) => index > 0 && index !== timeline.iteration - 1);
  const flops = loggedTflop.count === 0 ? null : (loggedTflop.sum / loggedTflop.count) * 1e12;
  return {
    ...{ timeline, runId: null, startedUtc: '', mode, ratio, settings: '', functional: isCpu },
    title: mode === null ? shownLine(name, 40) : modes[mode].title,
    subject: {
      ...{ parameters, size: null, chips, globalBatch, sequenceLength },
      ...{ dtype: facts['dtype'] ?? 'unknown', isRecomputed: null },
    },
    machine: {
      name: title.replaceAll(/[^A-Za-z0-9.]+/g, '-').toLowerCase(),
      ...{ profile: null, title, rates: unknownRates, device: `${device} ${facts['cores'] ?? ''}` },
    },
    usualStepMs: steps.length === 0 ? null : median(steps),
    demand:
      mode === null || flops === null
        ? null
        : {
            step: {
              forwardFlops: flops / 3,
              cpuParameters: (onCpu * parameters) / chips,
              linkBytesPerParameter: 2,
            },
            ranksPerNode: chips,
          },
  };
}

/** `2B`, `1 chip`, `batch 8`, `sequence 1024`, `bf16`: what a reader must know of a step. */
export function subjectTexts({
  parameters,
  size,
  chips,
  globalBatch,
  sequenceLength,
  dtype,
  isRecomputed,
}: Subject): readonly string[] {
  return [
    size ?? `${formatCount(parameters)} parameters`,
    `${chips} chip${chips === 1 ? '' : 's'}`,
    `batch ${globalBatch}`,
    `sequence ${formatTokens(sequenceLength)}`,
    dtype,
    ...(isRecomputed === true ? ['recomputed'] : []),
  ];
}
