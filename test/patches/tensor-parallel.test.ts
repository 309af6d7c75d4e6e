import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPython } from '../trainer/cases.ts';
import { patches } from './sources.ts';

const refusals = join(patches, 'deepspeed/overlay/deepspeed/runtime/superoffload/refusals.py');
const program = `
import runpy, sys, types
from deepspeed.runtime.sequence_parallel import parallel_state_sp
size = runpy.run_path(sys.argv[1])["tensor_parallel_size"]
mpu = lambda **said: types.SimpleNamespace(**{name: (lambda value=value: value) for name, value in said.items()})
print(size(None), size(parallel_state_sp), size(mpu(get_sequence_parallel_world_size=4)), size(mpu(get_tensor_model_parallel_world_size=1)),
      size(mpu(get_tensor_model_parallel_world_size=2, get_model_parallel_world_size=8)),
      size(mpu(get_model_parallel_world_size=4)))
`;

test("the overlay refuses tensor parallelism by what mpu says: Megatron's and DeepSpeed's own are there without it", async () => {
  const { stdout, stderr } = await runPython(['-c', program, refusals]);
  expect(stdout.trim().split('\n').at(-1), stderr).toBe('1 1 1 1 2 4');
});
