import type { LogEvent } from '../events.ts';
import type { LogFormat } from './format.ts';
import { parseIterationLine } from './iteration-line.ts';

const exitLine = /^\[exiting program (?:at iteration (\d+)|after [\d.]+ minutes)\]/;
const afterTraining = /^\[after training is done\] datetime:/;
const worldSize =
  /^using world size: (\d+), data-parallel-size: (\d+), (?:sequence-parallel size: (\d+), )?tensor-model-parallel size: (\d+)/;
const parameters = /^ > number of parameters on \(tensor, pipeline\) model parallel rank \(0, 0\): (\d+)/;
const torchVersion = /^(torch|deepspeed) (?:version|info) \.+ ([^ ,]+)/;
/** The dump of arguments: `  params_dtype ............ torch.float16`; the few that no other line says. */
const argument =
  /^ {2}(micro_batch_size|params_dtype|checkpoint_activations|untie_embeddings_and_output_weights) \.+ (\S.*)$/;

/** megatron/utils.py, report_memory: peaks so far, once after the first iteration. */
const memory = /memory \(MB\) \| .*max allocated: (\d+(?:\.\d+)?) \| .*max reserved: (\d+(?:\.\d+)?)$/;

/** Megatron-LM and Megatron-DeepSpeed: megatron/training.py, megatron/arguments.py. */
export const megatron: LogFormat = {
  name: 'megatron',
  needles: [
    ' iteration ',
    '[exiting program',
    '[after training is done]',
    'using world size:',
    'number of parameters on',
    'torch version',
    'deepspeed info',
    'micro_batch_size .',
    'params_dtype .',
    'checkpoint_activations .',
    'untie_embeddings_and_output_weights .',
    ' memory (MB) |',
  ],
  parse: (text) => parseIterationLine(text) ?? parseEnd(text) ?? parseMemory(text) ?? parseFacts(text),
};

function parseEnd(text: string): LogEvent | undefined {
  const exit = exitLine.exec(text);
  if (exit !== null) return { type: 'finished', iteration: exit[1] === undefined ? null : Number(exit[1]) };
  return afterTraining.test(text) ? { type: 'finished', iteration: null } : undefined;
}

function parseMemory(text: string): LogEvent | undefined {
  const peak = memory.exec(text);
  if (peak === null) return undefined;
  return {
    type: 'memory',
    gpuAllocatedGiB: Number(peak[1]) / 1024,
    gpuReservedGiB: Number(peak[2]) / 1024,
    hostGiB: null,
    hostSource: null,
  };
}

function parseFacts(text: string): LogEvent | undefined {
  const world = worldSize.exec(text);
  if (world !== null) {
    const [, size = '', data = '', sequence, tensor = ''] = world;
    return {
      type: 'facts',
      facts: {
        'world size': size,
        'data-parallel size': data,
        'tensor-parallel size': tensor,
        ...(sequence === undefined ? {} : { 'sequence-parallel size': sequence }),
      },
    };
  }
  const count = parameters.exec(text)?.[1];
  if (count !== undefined) return { type: 'facts', facts: { parameters: count } };
  const named = torchVersion.exec(text) ?? argument.exec(text);
  if (named === null) return undefined;
  const [, name = '', value = ''] = named;
  return { type: 'facts', facts: { [name.replaceAll('_', ' ')]: value.trim() } };
}
