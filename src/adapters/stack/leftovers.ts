import { setTimeout as sleep } from 'node:timers/promises';
import { processesWith, signalProcess } from '../processes.ts';

/** Every process that an install starts carries this variable, set to the stack's folder. */
export const installMark = 'SUPEROFFLOAD_INSTALL';

/**
 * Kills what an install of this folder has left running: pip, a compiler. After `kill -9` of the tool nobody else
 * would, and two installs would write into one environment. Only processes that carry the mark are touched.
 * @returns the pids that were killed.
 */
export async function killLeftovers(directory: string): Promise<number[]> {
  const killed: number[] = [];
  // A process may start another one while the list is read, so look again until there is none.
  for (let round = 0; round < 20; round += 1) {
    const found = processesWith(installMark, directory);
    if (found.length === 0) break;
    for (const pid of found) {
      // One that ended by itself, or is not ours to end, is not counted.
      if (signalProcess(pid, 'SIGKILL')) killed.push(pid);
    }
    await sleep(50);
  }
  return [...new Set(killed)];
}
