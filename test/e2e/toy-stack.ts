import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { probeMachine } from '../../src/adapters/probe/machine.ts';

const packageRoot = join(import.meta.dirname, '..', '..');

/**
 * A stack whose Python is a shell script that prints the lines of the built-in trainer: a real process, started and
 * followed as any other, that takes milliseconds. Every launch adds its run id and its size to `launches`.
 * A file `pause` in the stack's folder holds the seconds of a step. A file `fail-SIZE` is what the first launch of that
 * hidden size does in place of its steps; it is taken away, so that the next launch ends well.
 */
export interface ToyStack {
  readonly folder: string;
  /** `RUN_ID HIDDEN_SIZE` of every launch there ever was, in order. */
  readonly launches: () => string[];
  readonly setPause: (seconds: number) => void;
  /** @param code of the shell */
  readonly failOnce: (hidden: number, code: string) => void;
}

const script = `#!/bin/sh
folder=$(dirname "$0")
steps=1; hidden=0
while [ $# -gt 0 ]; do
  case $1 in
    --train-iters) steps=$2 ;;
    --hidden-size) hidden=$2 ;;
  esac
  shift
done
echo "$SUPEROFFLOAD_RUN_ID $hidden" >>"$folder/launches"
pause=0; read -r pause <"$folder/pause"
echo " run facts | world size: 1 | zero stage: 2 | accelerator: cpu |"
if mv "$folder/fail-$hidden" "$folder/failed-$hidden" 2>/dev/null; then . "$folder/failed-$hidden"; fi
i=1
while [ $i -le $steps ]; do
  [ "$pause" = 0 ] || sleep "$pause"
  echo " iteration $i/ $steps | elapsed time per iteration (ms): 20.$i | global batch size: 8 | lm loss: 1.0E+01 |" \\
    "loss scale: 1.0 | number of skipped iterations: 0 | number of nan iterations: 0 |"
  i=$((i + 1))
done
echo " peak memory | gpu allocated (GiB): none | gpu reserved (GiB): none | host (GiB): 0.1 | host source: pss |"
echo " training finished | iterations: $steps |"
`;

/** Writes the stack `toy` into a state folder. */
export async function writeToyStack(home: string): Promise<ToyStack> {
  const folder = join(home, 'stacks', 'toy');
  const { isa, simd } = (await probeMachine({})).cpu;
  // Its name says for which CPU it is: on any other a node would build its own.
  const ops = join(folder, 'ops', `toy-${simd}-${isa}-cxx12`);
  mkdirSync(ops, { recursive: true });
  const python = join(folder, 'python');
  writeFileSync(python, script);
  chmodSync(python, 0o755);
  writeFileSync(join(folder, 'pause'), '0\n');
  const lock = {
    ...{ schemaVersion: 2, name: 'toy', origin: 'private', accelerator: 'cpu', hash: 'c'.repeat(64) },
    python: { path: python, version: '3.11.7', base: python },
    torch: { version: '2.15.0', cuda: null },
    deepspeed: { version: '0.19.8' },
    ops: { directory: ops, key: `toy-${isa}`, built: [], flags: {}, compiler: 'none', ninja: 'none' },
    ...{ upstreams: {}, apex: null, packages: {}, wheels: {}, runtime: null },
    request: {
      ...{ torch: null, deepspeed: null, megatron: false, apex: 'auto', sources: {}, refs: {} },
      ...{ python: null, overlay: false },
    },
    ...{ requirementsSha256: null, hashesChecked: false, pathPrefix: [] },
    environment: { TORCH_EXTENSIONS_DIR: ops },
    ...{ createdUtc: '2026-01-02T03:04:05.678Z', installMs: 1 },
  };
  writeFileSync(join(folder, 'lock.json'), JSON.stringify(lock));
  const launches = join(folder, 'launches');
  writeFileSync(launches, '');
  return {
    folder,
    launches: () =>
      readFileSync(launches, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    setPause: (seconds) => {
      writeFileSync(join(folder, 'pause'), `${seconds}\n`);
    },
    failOnce: (hidden, code) => {
      writeFileSync(join(folder, `fail-${hidden}`), `${code}\n`);
    },
  };
}

interface ToySize {
  readonly name: string;
  readonly layers: number;
  readonly hidden: number;
}

/** Sizes of the toy: the hidden sizes of the first hundred tell their launches apart. */
export function toySizes(count: number): ToySize[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `toy${index}`,
    layers: 1 + Math.floor(index / 100),
    hidden: 64 + 4 * (index % 100),
  }));
}

/** Writes an experiment of so many cases (one mode, one chip) into the folder that a user stands in. @returns its path */
export function writeToyExperiment(
  cwd: string,
  count: number,
  change: Readonly<Record<string, unknown>> = {},
): string {
  const folder = join(cwd, 'experiment');
  mkdirSync(folder, { recursive: true });
  const source = 'a toy of the tests';
  const models = toySizes(count).map(({ name, layers, hidden }) => [
    name,
    { layers, hidden, heads: 4, vocabulary: 512, source },
  ]);
  writeFileSync(join(folder, 'model.json'), JSON.stringify({ models: Object.fromEntries(models) as object }));
  const text = readFileSync(join(packageRoot, 'experiment', 'throughput.json'), 'utf8');
  const throughput = JSON.parse(text) as { readonly cpu: Readonly<Record<string, unknown>> };
  const byChips = { 1: { globalBatch: 8, models: toySizes(count).map(({ name }) => name) } };
  const cpu = { ...throughput.cpu, modes: ['zero_offload'], byChips, steps: 3, ...change };
  const path = join(folder, 'toy.json');
  writeFileSync(path, JSON.stringify({ ...throughput, $schema: undefined, name: 'toy', cpu }));
  return path;
}
