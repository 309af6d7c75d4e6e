import { bindCommand } from '../binding.ts';
import type { Launcher } from '../launcher.ts';

/** No launcher at all: one rank, started by Python itself; 7 s sooner than through `deepspeed`. */
export const pythonLauncher: Launcher = {
  name: 'python',
  maxWorldSize: 1,
  launch: ({ python, program, masterAddress, masterPort, binding }) => ({
    command: bindCommand({ ...binding, localRank: 0 }, [python, '-u', ...program]),
    env: {
      RANK: '0',
      LOCAL_RANK: '0',
      WORLD_SIZE: '1',
      MASTER_ADDR: masterAddress,
      MASTER_PORT: masterPort,
    },
  }),
};
