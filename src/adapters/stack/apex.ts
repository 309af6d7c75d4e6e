import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseNvccVersion } from '../../core/machine/nvcc.ts';
import { parseApexCheck } from '../../core/stack/apex/check.ts';
import { readApexSource } from '../../core/stack/apex/source.ts';
import type { ApexSource } from '../../core/stack/apex/source.ts';
import type { CudaToolkit } from '../../core/stack/apex/facts.ts';
import type { Installer } from '../../core/install/facts.ts';
import { SuperOffloadError } from '../../errors.ts';
import { capture } from '../exec.ts';
import { withFileErrors } from '../files.ts';
import { findOnPath, isExecutable } from '../probe/search-path.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * @param torchCuda torch.version.cuda: a toolkit of this version is also looked for where NVIDIA's packages put it.
 * @returns the CUDA toolkits with an nvcc that runs, in the order in which torch looks for one; each once.
 */
export async function findToolkits(
  env: Env,
  torchCuda: string | null,
  signal?: AbortSignal,
): Promise<CudaToolkit[]> {
  const nvcc = findOnPath('nvcc', env);
  const homes = [
    ...[env['CUDA_HOME'], env['CUDA_PATH']],
    nvcc === undefined ? undefined : dirname(dirname(nvcc)),
    '/usr/local/cuda',
    torchCuda === null ? undefined : `/usr/local/cuda-${torchCuda}`,
  ].filter((home) => home !== undefined && home !== '' && isExecutable(join(home, 'bin/nvcc')));
  const found = [...new Set(homes)].map(async (home): Promise<CudaToolkit> => {
    const { exitCode, stdout } = await capture([join(home ?? '', 'bin/nvcc'), '--version'], {
      env,
      timeoutMs: 20_000,
      ...(signal === undefined ? {} : { signal }),
    });
    return { home: home ?? '', version: exitCode === 0 ? parseNvccVersion(stdout) : null };
  });
  return Promise.all(found);
}

/**
 * @param python the stack's interpreter, or the one that it will be made from.
 * @returns the version of the pip that will install into it; null with uv, or where pip does not say.
 */
export async function pipVersionOf(
  installer: Installer,
  python: string,
  env: Env,
  signal?: AbortSignal,
): Promise<string | null> {
  if (installer.kind === 'uv') return null;
  if (typeof installer.from !== 'string') {
    return /^pip-(\d+(?:\.\d+)+)/.exec(basename(installer.from.wheel))?.[1] ?? null;
  }
  const pip = installer.from === 'ensurepip' ? 'ensurepip' : 'pip';
  const { stdout } = await capture([python, '-m', pip, '--version'], {
    env,
    timeoutMs: 30_000,
    ...(signal === undefined ? {} : { signal }),
  });
  return /^pip (\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? null;
}

/**
 * Reads what a work tree of Apex builds.
 * @throws SuperOffloadError 'install' when it has no setup.py: then it is something else.
 */
export async function readApexTree(directory: string): Promise<ApexSource> {
  const setup = join(directory, 'setup.py');
  if (!existsSync(setup)) {
    const message = `${directory} has no setup.py: it is no work tree of NVIDIA/apex`;
    throw new SuperOffloadError({
      code: 'install',
      message,
      hint: 'see --source apex=URL and --ref apex=REF',
    });
  }
  const text = await withFileErrors(setup, () => readFile(setup, 'utf8'));
  const mlp = join(directory, 'csrc/mlp.cpp');
  return readApexSource(text, existsSync(mlp) ? await readFile(mlp, 'utf8') : '');
}

/** Extensions of the core of Apex at one version or another: what is asked for where setup.py is not at hand. */
const knownExtensions = [
  ...['apex_C', 'amp_C', 'syncbn', 'fused_layer_norm_cuda', 'mlp_cuda', 'fused_dense_cuda'],
  ...['scaled_upper_triang_masked_softmax_cuda', 'generic_scaled_masked_softmax_cuda'],
  ...['scaled_masked_softmax_cuda', 'scaled_softmax_cuda', 'fused_rotary_positional_embedding'],
  'fused_weight_gradient_mlp_cuda',
] as const;

/**
 * @param program check_apex.py.
 * @returns compiled modules of the Apex that this Python already has, as vendor containers do; null without Apex.
 */
export async function presentApex(
  python: string,
  program: string,
  env: Env,
  signal?: AbortSignal,
): Promise<readonly string[] | null> {
  const { exitCode, stdout } = await capture([python, program, ...knownExtensions], {
    env,
    timeoutMs: 120_000,
    ...(signal === undefined ? {} : { signal }),
  });
  const check = exitCode === 0 ? parseApexCheck(stdout) : undefined;
  return check === undefined || check.apex === null ? null : Object.keys(check.files);
}
