import type { Fault } from '../../errors.ts';
import { modes } from '../deepspeed/modes/registry.ts';
import type { Case } from './case.ts';

/** What a case asks of its workload that the workload cannot do. */
export function workloadFaults(subject: Case): Fault[] {
  return [
    ...sequenceFaults(subject),
    ...offloadFaults(subject),
    ...(subject.workload === 'builtin' ? builtinFaults(subject) : megatronFaults(subject)),
  ];
}

function builtinFaults(subject: Case): Fault[] {
  const asked: readonly (readonly [boolean, string])[] = [
    [subject.vocabFile !== null, '--vocab-file'],
    [subject.mergeFile !== null, '--merge-file'],
  ];
  const faults: Fault[] = asked
    .filter(([isAsked]) => isAsked)
    .map(([, place]) => ({
      place,
      problem: 'is nothing that the built-in trainer can do',
      expected: '--workload megatron beside it',
    }));
  if (subject.fp16LmCrossEntropy && subject.dtype === 'fp32') {
    const expected = '--dtype bf16 or fp16 beside it';
    faults.push({
      place: '--fp16-lm-cross-entropy',
      problem: 'is for 16-bit numbers, and this is fp32',
      expected,
    });
  }
  return faults;
}

function offloadFaults(subject: Case): Fault[] {
  if (!subject.activationOffload || subject.activationCheckpointing) return [];
  const problem = 'moves what activation checkpointing keeps';
  return [{ place: '--activation-offload', problem, expected: '--activation-checkpointing beside it' }];
}

function sequenceFaults(subject: Case): Fault[] {
  const { sequenceParallel: ranks, model, sequenceLength, mode } = subject;
  if (ranks === 1) {
    if (!modes[mode].sharesSequences) return [];
    const expected = '--sequence-parallel N, the number of chips that share a sequence';
    return [{ place: `--mode ${mode}`, problem: 'needs chips that share each sequence', expected }];
  }
  const faults: Fault[] = [];
  if (model.heads % ranks !== 0) {
    const problem = `${ranks} ranks cannot share the ${model.heads} heads of ${model.name}`;
    faults.push({ place: '--sequence-parallel', problem, expected: `a divisor of ${model.heads}` });
  }
  if (sequenceLength % ranks !== 0) {
    const problem = `${sequenceLength} tokens cannot be shared by ${ranks} ranks`;
    faults.push({ place: '--sequence-length', problem, expected: `a multiple of ${ranks}` });
  }
  return faults;
}

/** numpy.random.seed takes 32 bits, and Megatron gives it the seed as it is. */
const maxNumpySeed = 2 ** 32 - 1;

/**
 * megatron/arguments.py, validate_args, megatron/initialize.py, _set_random_seed, and megatron/model/transformer.py,
 * FlashSelfAttention, refuse these minutes later.
 */
function megatronFaults(subject: Case): Fault[] {
  const faults: Fault[] = [];
  if (subject.lossChunk !== undefined) {
    const problem = 'is nothing that Megatron can do: it has all logits at once';
    faults.push({ place: '--loss-chunk', problem, expected: '--workload builtin, or no such flag' });
  }
  if (subject.dtype === 'fp32' && subject.attention === 'sdpa') {
    const problem = "Megatron's fused attention takes 16-bit numbers alone";
    faults.push({ place: '--dtype fp32', problem, expected: '--attention unfused beside it' });
  }
  if (subject.fp16LmCrossEntropy && subject.dtype !== 'fp16') {
    const problem = `is for fp16 alone, and this is ${subject.dtype}`;
    faults.push({ place: '--fp16-lm-cross-entropy', problem, expected: '--dtype fp16 beside it' });
  }
  if (subject.seed === 0 || subject.seed > maxNumpySeed) {
    const expected = `a whole number from 1 to ${maxNumpySeed}`;
    faults.push({ place: '--seed', problem: `${subject.seed} is no seed for Megatron`, expected });
  }
  if ((subject.vocabFile === null) !== (subject.mergeFile === null)) {
    const [place, missing] =
      subject.vocabFile === null ? ['--merge-file', '--vocab-file'] : ['--vocab-file', '--merge-file'];
    faults.push({ place, problem: 'is half a tokenizer', expected: `${missing} beside it` });
  }
  return faults;
}
