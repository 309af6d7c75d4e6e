/** What a work tree of NVIDIA/apex says about its own build. Its version is 0.1 in every one, so setup.py is read. */

export interface ApexSource {
  /** What `--cpp_ext` and `--cuda_ext` build, in the order of setup.py. */
  readonly extensions: readonly string[];
  /** Takes APEX_CPP_EXT=1 and APEX_CUDA_EXT=1: since NVIDIA/apex#1910 (25.09). */
  readonly readsVariables: boolean;
  /**
   * Architectures that the build asks nvcc for whatever TORCH_CUDA_ARCH_LIST says: 70 for compute_70. Gone since
   * NVIDIA/apex#1918 (after 25.09).
   */
  readonly fixedArchitectures: readonly number[];
  /**
   * Sources hand `tensor.type()` to torch's dispatch macros, which torch 2.6 and newer do not take: mended by
   * NVIDIA/apex#1855 (24.11).
   */
  readonly usesTensorType: boolean;
}

const flags = ['--cpp_ext', '--cuda_ext'];

/**
 * @param setup text of setup.py.
 * @param mlp text of csrc/mlp.cpp, one of the files that handed `tensor.type()` on; empty where there is none.
 */
export function readApexSource(setup: string, mlp: string): ApexSource {
  const blocks = topLevelBlocks(setup).filter(
    (block) => flags.filter((flag) => firstLine(block).includes(`"${flag}"`)).length === 1,
  );
  const text = blocks.join('\n');
  const names = text.matchAll(/(?:Cpp|CUDA)Extension\(\s*(?:name\s*=\s*)?["'](\w+)["']/g);
  const architectures = text.matchAll(/arch=compute_(\d+)/g);
  return {
    extensions: [...names].map(([, name]) => name ?? ''),
    readsVariables: /["']APEX_CUDA_EXT["']/.test(setup),
    fixedArchitectures: [...new Set([...architectures].map(([, number]) => Number(number)))],
    usesTensorType: /DISPATCH\w*\([^"]*\.type\(\)/.test(mlp),
  };
}

/** Every `if` at the left margin, with what is below it. */
function topLevelBlocks(python: string): string[] {
  return python.split(/^(?=\S)/m).filter((part) => part.startsWith('if '));
}

function firstLine(block: string): string {
  return block.slice(0, block.indexOf('\n'));
}
