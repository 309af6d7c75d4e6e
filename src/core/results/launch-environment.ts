import { canonicalJson, shortHash } from '../experiment/case-id.ts';
import { isForwarded } from '../launch/forward.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { LaunchEnvironment, RunRecord } from './record.ts';
import type { Difference } from './fairness.ts';
import { hiddenMark, redactEnvironment } from './redact.ts';

/** Variables that steer communication, threads, memory and the engines of a training. */
const relevant =
  /^(?:NCCL|GLOO|CCL|UCX|MV2|FI|OFI|IBV|NVSHMEM|OMPI_MCA|OMP|KMP|GOMP|MKL|OPENBLAS|BLIS|ATEN|CUDA|CUBLAS|CUBLASLT|CUDNN|TORCH|PYTORCH|TORCHINDUCTOR|TRITON|DS|DEEPSPEED|MEGATRON|MALLOC)_\w+$|^(?:LD_PRELOAD|LD_LIBRARY_PATH|GLIBC_TUNABLES|NVIDIA_TF32_OVERRIDE|PYTHONMALLOC|PYTHONOPTIMIZE)$/;

/** Where something lies says nothing of speed, nor do what images are labelled with and what an op was built for. */
const irrelevant =
  /_(?:HOME|DIR|CACHE|PATH|VERSION|FILE)$|^DS_BUILD_|^TORCH_CUDA_ARCH_LIST$|^CUDA_DEVICE_ORDER$|^DS_ACCELERATOR$/;

/** Of these it does: which library is loaded, and what NCCL takes the machine for. */
const relevantPath = /^LD_LIBRARY_PATH$|^NCCL_(?:TOPO|GRAPH|CONF|TUNER_CONFIG)_FILE$/;

function isRelevant(name: string): boolean {
  return relevant.test(name) && (relevantPath.test(name) || !irrelevant.test(name));
}

/** Of no name that is known, a key all the same: nothing that steers a library looks so. */
const keyShape = /^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+=]{32,}$/;

/**
 * What of the environment of a launch may change its speed: the caller's variables as far as they reach the ranks, and
 * over them what the plan sets. Values that are secrets are hidden.
 * @param environment the caller's, as it is kept with the run
 */
export function launchEnvironment(
  plan: Pick<RunPlan, 'env' | 'unset' | 'schedule'>,
  environment: Readonly<Record<string, string>>,
): LaunchEnvironment {
  const { schedule } = plan;
  const handsAllOn =
    schedule === undefined || (schedule.scheduler === 'slurm' && schedule.options['export'] !== undefined);
  const callers = Object.entries(environment).filter(
    ([name]) => !plan.unset.includes(name) && (handsAllOn || isForwarded(name)),
  );
  const all = redactEnvironment({ ...Object.fromEntries(callers), ...plan.env });
  const variables = Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => isRelevant(name))
      .map(([name, value]) => [name, keyShape.test(value) ? hiddenMark : value]),
  );
  return { hash: shortHash(canonicalJson(variables)), variables };
}

/** What {@link environmentDifferences} calls a variable. */
export function environmentName(variable: string): string {
  return `environment ${variable}`;
}

/** @returns a difference for every variable that is not alike; null where one of the two does not say. */
export function environmentDifferences(a: RunRecord, b: RunRecord): Difference[] | null {
  const [left, right] = [a.environment, b.environment];
  if (left === undefined || right === undefined) return null;
  if (left.hash === right.hash) return [];
  const names = [...new Set([...Object.keys(left.variables), ...Object.keys(right.variables)])].sort();
  return names
    .filter((name) => left.variables[name] !== right.variables[name])
    .map((name) => ({
      name: environmentName(name),
      a: valueText(left.variables[name]),
      b: valueText(right.variables[name]),
    }));
}

/** A list of folders is no part of a line; its digits tell it from another. */
const maxValueChars = 40;

function valueText(value: string | undefined): string {
  if (value === undefined) return 'not set';
  if (value === '') return '(empty)';
  return value.length <= maxValueChars ? value : `${value.slice(0, maxValueChars)}... (${shortHash(value)})`;
}
