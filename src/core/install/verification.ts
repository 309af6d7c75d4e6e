/** What check_stack.py found, and whether it is good enough. */
import { resultLine } from '../stack/result-line.ts';
import type { MachineFacts } from '../machine/facts.ts';
import { driverRefusal } from './refusals.ts';

export interface Verification {
  readonly python: string;
  readonly torch: string;
  readonly cuda: string | null;
  readonly cudaAvailable: boolean;
  readonly gpuCount: number;
  readonly deepspeed: string;
  /** As torch loaded them; null where it was built without. */
  readonly nccl: string | null;
  readonly cudnn: string | null;
  /** Importing torch and DeepSpeed and loading the ops, seconds. */
  readonly loadSeconds: number;
  /** Largest difference of DeepSpeedCPUAdam from torch's AdamW; null where the op was not built. */
  readonly adamDifference: number | null;
  /** Requirements that are not met. */
  readonly problems: readonly string[];
  readonly packages: Readonly<Record<string, string>>;
}

/** fp32 parameters near 1 after three steps; 4e-7 was measured with AVX-512. */
const adamTolerance = 1e-5;
/** A warm load takes 3 to 5 s; one that compiles takes a minute. */
const slowLoadSeconds = 10;

/** @returns the last result line of check_stack.py, undefined when there is none. */
export function parseVerification(stdout: string): Verification | undefined {
  return resultLine(stdout) as Verification | undefined;
}

export interface Verdict {
  readonly refusals: readonly { readonly message: string; readonly hint: string }[];
  readonly warnings: readonly string[];
}

export function judge(
  found: Verification,
  accelerator: 'cuda' | 'cpu',
  machine: Pick<MachineFacts, 'gpus'>,
): Verdict {
  const refusals = [];
  if (accelerator === 'cuda' && !found.cudaAvailable)
    refusals.push(driverRefusal(found.cuda ?? 'none', machine));
  if (found.problems.length > 0) {
    const hint = 'mend the environment, or start anew: superoffload install --reinstall';
    refusals.push({ message: found.problems.join('\n'), hint });
  }
  if (found.adamDifference !== null && !(found.adamDifference <= adamTolerance)) {
    refusals.push({
      message: `DeepSpeed's CPU Adam differs from torch's AdamW by ${found.adamDifference} (allowed ${adamTolerance})`,
      hint: 'the op was compiled wrongly for this CPU; try another compiler: CXX=g++-12 superoffload install --reinstall',
    });
  }
  const warnings =
    found.loadSeconds > slowLoadSeconds
      ? [
          `importing torch and DeepSpeed took ${found.loadSeconds.toFixed(1)} s; a slow or cold disk adds this to every run`,
        ]
      : [];
  return { refusals, warnings };
}
