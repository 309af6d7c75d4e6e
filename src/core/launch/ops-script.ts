import { opsFor, type OpName } from '../stack/ops.ts';
import { cpuDigestLines } from './cpu-digest.ts';
import { quoteCommand } from './quote.ts';

/** DeepSpeed's classes (op_builder/). */
const builders: Readonly<Record<OpName, string>> = {
  cpu_adam: 'CPUAdamBuilder',
  deepspeed_shm_comm: 'ShareMemCommBuilder',
};

/** In the folder of a build that came to its end. */
const builtMark = '.superoffload-built';

/**
 * `ops.sh`, which a node's `run.sh` reads before anything else is started: where the node's CPU is another than the one
 * that the stack's ops were compiled on (-march=native), TORCH_EXTENSIONS_DIR becomes a folder beside theirs, named
 * after this CPU as core/stack/ops.ts names it, and the ops are built there once: a compiler inside a run would outlast
 * the patience of SuperOffload's worker (60 s).
 * @param python of the stack, which the exported environment belongs to
 */
export function opsScript(python: string, accelerator: 'cuda' | 'cpu'): string {
  const names = opsFor(accelerator).map((name) => `'${builders[name]}'`);
  const build = [
    'from deepspeed.accelerator import get_accelerator',
    `for name in (${names.join(', ')},):`,
    '    get_accelerator().create_op_builder(name).load()',
  ].join('\n');
  return [
    "# On a CPU that the stack's ops were not compiled for, those of its own.",
    ...cpuDigestLines,
    'case $TORCH_EXTENSIONS_DIR in',
    '*-"$isa"-cxx*) ;;',
    '*)',
    '  case "$(uname -m) $flags " in',
    '  aarch64*" sve "* | arm64*" sve "*) simd=sve ;;',
    '  aarch64* | arm64*) simd=neon ;;',
    '  *" avx512f "*) simd=avx512 ;;',
    '  *" avx2 "*) simd=avx2 ;;',
    '  *) simd=scalar ;;',
    '  esac',
    '  TORCH_EXTENSIONS_DIR=$(printf %s "$TORCH_EXTENSIONS_DIR" | sed "s/-[a-z0-9]*-[0-9a-f]\\{8\\}-cxx/-$simd-$isa-cxx/")',
    '  export TORCH_EXTENSIONS_DIR',
    `  if [ ! -e "$TORCH_EXTENSIONS_DIR/${builtMark}" ]; then`,
    '    echo "superoffload: building DeepSpeed\'s ops for the CPU of $(uname -n) in $TORCH_EXTENSIONS_DIR"',
    '    mkdir -p "$TORCH_EXTENSIONS_DIR" &&',
    `      ${quoteCommand([python, '-c', build])} &&`,
    `      : >"$TORCH_EXTENSIONS_DIR/${builtMark}" ||`,
    '      { echo "superoffload: DeepSpeed\'s ops cannot be built on $(uname -n)" >&2; exit 1; }',
    '  fi ;;',
    'esac',
    '',
  ].join('\n');
}
