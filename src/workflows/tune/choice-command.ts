import type { Case } from '../../core/experiment/case.ts';
import type { ExperimentFile } from '../../core/experiment/experiment-file.schema.ts';
import { quoteCommand } from '../../core/launch/quote.ts';
import type { Candidate } from '../../core/tune/tuning.ts';
import type { PlanRequest } from '../plan/request.ts';

type Section = ExperimentFile['cuda'];

/** What of a command is asked again as it was. */
type Asked = Pick<PlanRequest, 'flags' | 'system' | 'stack' | 'launcher' | 'scheduling' | 'allowDrift'>;

/**
 * The command that runs a configuration again from its DeepSpeed JSON: what the JSON does not hold is in its flags, each
 * only where it is not the default.
 * @param file the JSON, as the user will name it
 * @param section the defaults of `throughput` for the kind of machine
 */
export function throughputCommand(
  { subject, bindCores }: Pick<Candidate, 'subject' | 'bindCores'>,
  file: string,
  section: Section,
  asked: Asked,
): string {
  return quoteCommand([
    ...['superoffload', 'throughput', '--config', file, '--mode', subject.mode],
    ...['--model', subject.model.name, '--chips', String(subject.chips)],
    ...['--sequence-length', String(subject.sequenceLength)],
    ...memoryWords(subject, section),
    ...caseWords(subject, section),
    ...(asked.flags.allowUnsafe === true ? ['--allow-unsafe'] : []),
    ...placeWords(asked),
    ...(bindCores ? ['--bind-cores'] : []),
  ]);
}

function memoryWords(subject: Case, section: Section): string[] {
  const { activationCheckpointing, activationOffload, lossChunk } = subject;
  return [
    ...(activationCheckpointing ? ['--activation-checkpointing'] : []),
    ...(section.activationCheckpointing && !activationCheckpointing ? ['--no-activation-checkpointing'] : []),
    ...(activationOffload ? ['--activation-offload'] : []),
    ...word('--loss-chunk', lossChunk),
  ];
}

function caseWords(subject: Case, section: Section): string[] {
  const other = <T extends string | number>(flag: string, value: T, usual: T): string[] =>
    value === usual ? [] : [flag, String(value)];
  return [
    ...other('--workload', subject.workload, 'builtin'),
    ...other('--attention', subject.attention, 'sdpa'),
    ...other('--sequence-parallel', subject.sequenceParallel, 1),
    ...(subject.fp16LmCrossEntropy ? ['--fp16-lm-cross-entropy'] : []),
    ...other('--dropout', subject.dropout, section.dropout),
    ...other('--steps', subject.steps, section.steps),
    ...other('--seed', subject.seed, section.seed),
    ...word('--data-path', subject.dataPath),
    ...word('--vocab-file', subject.vocabFile),
    ...word('--merge-file', subject.mergeFile),
  ];
}

function placeWords({ system, stack, launcher, scheduling, allowDrift }: Asked): string[] {
  const { scheduler, hostfile, slurm = {}, slurmWords = [], exclusiveHost } = scheduling;
  return [
    ...(system === 'local' ? [] : ['--system', system]),
    ...(stack === 'pip' ? [] : ['--stack', stack]),
    ...word('--launcher', launcher),
    ...word('--scheduler', scheduler),
    ...word('--hostfile', hostfile),
    ...Object.entries(slurm).flatMap(([name, value]) => [`--${name}`, value]),
    ...slurmWords.flatMap((one) => ['--slurm', one]),
    ...(exclusiveHost === true ? ['--exclusive-host'] : []),
    ...(allowDrift ? ['--allow-drift'] : []),
  ];
}

function word(flag: string, value: string | number | null | undefined): string[] {
  return value === null || value === undefined ? [] : [flag, String(value)];
}
