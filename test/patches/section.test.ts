import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPython } from '../trainer/cases.ts';

const where = 'import importlib.util as u; print(u.find_spec("deepspeed").submodule_search_locations[0])';
const deepspeed = (await runPython(['-c', where])).stdout.trim();
const missing = existsSync(join(deepspeed, 'runtime', 'superoffload', 'refusals.py'))
  ? null
  : 'the stack has not the patches of now: superoffload install';
const why = missing === null ? '' : ` (skipped: ${missing})`;

/** What is said of each input, one a line: of a section alone, of a whole JSON, and of what mpu says. */
const program = `
import json, sys, types
from deepspeed.runtime.sequence_parallel import parallel_state_sp
from deepspeed.runtime.superoffload.host_offload import choose_host_memory, optimizer_class
from deepspeed.runtime.superoffload.refusals import refuse, tensor_parallel_size as size
from deepspeed.runtime.superoffload.settings import read_settings
asked = json.load(sys.stdin)
said = []
def note(action, *arguments):
    try: said.append(str(action(*arguments)))
    except ValueError as error: said.append(str(error))
for section in asked["sections"]: note(read_settings, {"superoffload": section})
for config in asked["configs"]: note(lambda: (choose_host_memory(config), optimizer_class("its own", config)))
note(refuse, 'casts "fused"', None, {"zenflow_config": 1}, {"ZeRO-1": True})
mpu = lambda **said: types.SimpleNamespace(**{name: (lambda value=value: value) for name, value in said.items()})
sizes = [size(None), size(parallel_state_sp), size(mpu(get_sequence_parallel_world_size=4)),
         size(mpu(get_tensor_model_parallel_world_size=1)),
         size(mpu(get_tensor_model_parallel_world_size=2, get_model_parallel_world_size=8)),
         size(mpu(get_model_parallel_world_size=4))]
print("RESULT " + json.dumps([*said, sizes]))
`;

test.skipIf(missing !== null)(
  `the section superoffload of the JSON: all that is wrong with it, and what does not work, is said${why}`,
  { timeout: 600_000 },
  async () => {
    const input = {
      sections: [
        { optimizer: 'overlap', speculation: 1 },
        { optimizer: 'best', threads: 4, speculation: 'all' },
      ],
      configs: [
        { zero_optimization: { stage: 3 }, superoffload: { casts: 'fused' } },
        { zero_optimization: { stage: 2 }, superoffload: { optimizer: 'overlap' } },
        { zero_optimization: { stage: 2 }, superoffload: { host_memory: 'shared' } },
      ],
    };
    const end = await runPython(['-c', program], { input: JSON.stringify(input) });
    const line = end.stdout.split('\n').find((each) => each.startsWith('RESULT '));
    expect(line, end.stderr.slice(-2000)).toBeDefined();
    const said = JSON.parse((line ?? '').slice('RESULT '.length)) as (string | number[])[];
    const [good, faults, stage, optimizer, memory, refused, sizes] = said;
    expect(good).toContain("optimizer='overlap'");
    expect(faults).toContain('superoffload.threads: unknown');
    expect(faults).toContain("superoffload.speculation: expected float, found 'all'");
    expect(faults).toContain("superoffload.optimizer: expected one of published, overlap, found 'best'");
    expect(stage).toContain('superoffload.casts "fused" is for ZeRO-2');
    expect(optimizer).toContain('superoffload.optimizer "overlap" is for ZeRO-3');
    expect(memory).toBe("superoffload.host_memory: expected one of published, registered, found 'shared'");
    expect(refused).toBe(
      'superoffload.casts "fused" does not work with an optimizer that is not DeepSpeedCPUAdam, ' +
        'offload_optimizer.device other than cpu, zenflow, ZeRO-1',
    );
    // Tensor parallelism by what mpu says: Megatron's and DeepSpeed's own are there without it.
    expect(sizes).toEqual([1, 1, 1, 1, 2, 4]);
  },
);
