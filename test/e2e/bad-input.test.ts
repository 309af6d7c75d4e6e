import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { sharedHome } from '../real-stack.ts';
import { createSandbox } from './program.ts';

const box = createSandbox();
beforeAll(() => {
  symlinkSync(join(sharedHome, 'stacks'), join(box.home, 'stacks'));
  writeFileSync(join(box.cwd, 'broken.json'), '{\n  "bf16": {"enabled": true,}\n}\n');
  writeFileSync(join(box.cwd, 'list.json'), '[]');
  writeFileSync(join(box.cwd, 'stage1.json'), '{"zero_optimization": {"stage": 1}}');
  writeFileSync(
    join(box.cwd, 'unknown.json'),
    '{"zero_optimization": {"stage": 2, "sub_group_sise": 1}, "fp17": {}}',
  );
  writeFileSync(join(box.cwd, 'twice.json'), '{"bf16": {"enabled": true},\n "bf16": {"enabled": false}}');
  writeFileSync(join(box.cwd, 'adam.json'), '{"optimizer": {"type": "AdamW"}, "scheduler": {}}');
  writeFileSync(
    join(box.cwd, 'micro.json'),
    '{"train_micro_batch_size_per_gpu": 2, "zero_optimization": {"stage": 0}}',
  );
});

/** Whatever is wrong is said before anything is started, with the place and what was expected there. */
describe('bad input', () => {
  const tiny = ['throughput', '--model', 'tiny'];
  it.each<[argv: string[], code: number, messages: RegExp[]]>([
    [['frobnicate'], 2, [/unknown command 'frobnicate'/]],
    [['throughputs'], 2, [/unknown command 'throughputs'/, /Did you mean throughput/]],
    [['help', 'outcome'], 2, [/no command and no topic "outcome"/, /did you mean outcomes/]],
    [['throughput', '--frob'], 2, [/unknown option '--frob'/]],
    [['throughput', '--chip', '4'], 2, [/unknown option '--chip'/, /Did you mean --chips/]],
    [['throughput', '--chips'], 2, [/option '--chips <n>' argument missing/]],
    [['throughput', '--chips', '0'], 2, [/--chips.*'0' is invalid.*whole number from 1 up/]],
    [['throughput', '--chips', 'four'], 2, [/--chips.*'four' is invalid/]],
    [['throughput', '--chips', '-1'], 2, [/--chips/]],
    [['throughput', '--micro-batch', '1.5'], 2, [/--micro-batch.*whole number/]],
    [['throughput', '--steps', '1e3'], 2, [/--steps.*whole number/]],
    [['throughput', '--dtype', 'fp8'], 2, [/--dtype.*'fp8' is invalid.*bf16, fp16, fp32/]],
    [['throughput', '--ratio', '1.5'], 2, [/--ratio.*share/]],
    [['throughput', '--max-error', 'small'], 2, [/--max-error.*share/]],
    [['throughput', '--timeout', 'soon'], 2, [/--timeout.*duration/]],
    [['throughput', '--launcher', 'mpirun'], 2, [/--launcher.*python, torchrun, deepspeed/]],
    [
      ['throughput', '--launcher', 'python', '--chips', '2'],
      2,
      [/--launcher python: starts 1 rank, and --chips is 2/],
    ],
    [['throughput', '--workload', 'megatronn'], 2, [/--workload.*builtin, megatron, command/]],
    [['throughput', '--workload', 'command'], 2, [/--workload command needs a command/, /for example/]],
    [
      [
        ...['throughput', '--workload', 'command', '--mode', 'prism', '--steps', '5', '--attention', 'sdpa'],
        ...['--sequence-parallel', '2', '--activation-offload', '--fp16-lm-cross-entropy', '--allow-drift'],
        ...['--vocab-file', 'v', '--merge-file', 'm', '--', 'true'],
      ],
      2,
      [
        /--mode: says nothing to a command of your own/,
        /--activation-offload: says nothing.*\n.*--attention: says nothing.*\n.*--sequence-parallel: says/,
        /--steps: says.*\n/,
        /--fp16-lm-cross-entropy: .*\n.*--vocab-file: .*\n.*--merge-file: .*\n.*--allow-drift: says/,
      ],
    ],
    [['config', '--workload', 'command'], 2, [/--workload.*builtin, megatron/]],
    [
      [...tiny, '--sequence-parallel', '3', '--chips', '2'],
      2,
      [/--sequence-parallel: 2 chips cannot be split into groups of 3 .*\(expected a divisor of 2/],
    ],
    [['throughput', 'python', 'train.py'], 2, [/unexpected words: python train.py/, /--workload command --/]],
    [
      ['throughput', '--mode', 'zero_ofload'],
      2,
      [/--mode: there is no mode "zero_ofload" \(expected prism.*zero_offload/],
    ],
    [['throughput', '--model', '2Bb'], 2, [/--model: there is no size "2Bb" \(expected 2B\)/]],
    [
      ['throughput', '--mode', 'x', '--model', 'y', '--ds', 'z'],
      2,
      [/mode "x"/, /size "y"/, /--ds z: is not KEY=VALUE/],
    ],
    [['throughput', '--system', 'h2000'], 2, [/--system: there is no system "h2000" \(expected h200\)/]],
    [['config', '--system', 'gh200-nvl2', '--chips', '3', '--model', '5B'], 2, [/--chips 3: does not fill whole nodes of 2 chips \(expected 2 or 4\)/]], // prettier-ignore
    [['throughput', '--model', 'tiny', '--account', 'x', '--slurm', 'mem=1', '--dry-run'], 2, [/--account: is for Slurm/, /--slurm: is for Slurm/]], // prettier-ignore
    [['throughput', '--system', 'h200'], 3, [/system h200 has GPUs and this machine has none/, /--dry-run/]],
    [
      ['throughput', '--stack', 'pipp'],
      2,
      [/there is no stack "pipp".*did you mean pip/, /superoffload install|there is: /],
    ],
    [[...tiny, '--stack', '../../etc'], 2, [/there is no stack/]],
    [[...tiny, '--micro-batch', '3', '--global-batch', '8'], 2, [/--global-batch.*8.*|micro.*3/, /expected/]],
    [[...tiny, '--chips', '2', '--micro-batch', '4', '--global-batch', '12'], 2, [/12/, /expected/]],
    [[...tiny, '--chips', '3', '--global-batch', '8'], 2, [/8/, /3/]],
    [[...tiny, '--ds', 'zero_optimization.sub_group_sise=1'], 2, [/sub_group_sise/, /sub_group_size/]],
    [[...tiny, '--ds', 'zero_optimization.overlap_comm=maybe'], 2, [/overlap_comm/, /boolean/]],
    [
      [...tiny, '--ds', 'train_batch_size=4'],
      2,
      [/--ds train_batch_size=4: train_batch_size belongs to a flag \(expected --global-batch\)/],
    ],
    [[...tiny, '--config', 'not-there.json'], 2, [/--config not-there.json: there is no such file/]],
    [[...tiny, '--config', 'broken.json'], 2, [/broken\.json:2:\d+: not valid JSON/]],
    [[...tiny, '--config', 'list.json'], 2, [/--config list.json: is not a JSON object/]],
    [
      [...tiny, '--config', 'stage1.json'],
      2,
      [/stage1\.json \/zero_optimization: is of no known mode \(expected stage 0, 2 or 3/],
    ],
    [
      [...tiny, '--config', 'unknown.json'],
      2,
      [/sub_group_sise.*sub_group_size/, /fp17/, /nothing was started/],
    ],
    [
      [...tiny, '--config', 'micro.json', '--micro-batch', '4'],
      2,
      [/\/train_micro_batch_size_per_gpu: 2 disagrees with --micro-batch 4/],
    ],
    [[...tiny, '--mode', 'prism', '--dtype', 'fp16', '--dry-run'], 2, [/fp16/, /clipping/, /--allow-unsafe/]],
    [[...tiny, '--mode', ''], 2, [/--mode.*Expected a name/]],
    [['throughput', '--model', ',', '--dry-run'], 2, [/--model.*Expected a name/]],
    [[...tiny, '--timeout', '0'], 2, [/--timeout.*longer than 0/]],
    [[...tiny, '--stall-timeout', '0s'], 2, [/--stall-timeout.*longer than 0/]],
    [[...tiny, '--dropout', '1'], 2, [/--dropout.*below 1/]],
    [
      [...tiny, '--chips', '100000', '--dry-run'],
      2,
      [/--chips 100000: that many CPU ranks do not run on \d+ cores? \(expected \d+ at most/],
    ],
    [
      [...tiny, '--config', 'twice.json'],
      2,
      [/twice\.json:2:2: not valid JSON: the key "bf16" is there twice/],
    ],
    [
      [...tiny, '--config', 'adam.json'],
      2,
      [
        /adam\.json \/optimizer: the built-in trainer has its own optimizer/,
        /\/scheduler: .*workload command/,
      ],
    ],
    [
      [...tiny, '--config', 'micro.json', '--mode', 'zero_2,zero_3'],
      2,
      [/ddp disagrees with --mode zero_2/, /ddp disagrees with --mode zero_3/],
    ],
    [
      [...tiny, '--mode', 'zero_offload', '--ds', 'zero_optimization.offload_optimizer.device=none'],
      2,
      [/--ds: makes zero_2 of zero_offload/, /nothing was started/],
    ],
    [['config', '--mode', 'nope'], 2, [/there is no mode "nope"/]],
    [['runs'], 2, [/list/, /replay/]],
    [['runs', 'frob'], 2, [/unknown command 'frob'/]],
    [['runs', 'show'], 2, [/missing required argument 'run'/]],
    [['parse', 'not-there.log'], 2, [/not-there\.log/]],
  ])('superoffload %j: exit %i', async (argv, code, messages) => {
    const end = await box.run(argv);
    for (const message of messages) expect(end.stderr).toMatch(message);
    expect(end.code).toBe(code);
    expect(end.stdout).toBe('');
  });

  it('starts nothing', async () => {
    expect((await box.run(['runs', 'list'])).stdout).toContain('no runs yet');
  });
});

describe("a broken model.json in the user's experiment folder", () => {
  const user = createSandbox();
  const packaged = JSON.parse(
    readFileSync(join(import.meta.dirname, '..', '..', 'experiment', 'model.json'), 'utf8'),
  ) as { models: Record<string, Record<string, unknown>> };
  const [name, entry] = Object.entries(packaged.models)[0]!;
  const file = (models: string): string => `{\n  "models": {\n${models}\n  }\n}\n`;
  const line = (key: string, value: object): string => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`;

  it.each([
    ['cut', '{\n  "models": {', /model\.json:\d+:\d+/],
    ['with a comma too many', file(`${line(name, entry)},`), /model\.json:4:3/],
    ['with a duplicate key', file(`${line(name, entry)},\n${line(name, entry)}`), /model\.json:4:\d+.*duplicate|model\.json:4:\d+.*twice/], // prettier-ignore
    ['without layers', file(line('mine', { ...entry, layers: undefined })), /model\.json.*mine.*layers/],
    ['with a key nobody knows', file(line('mine', { ...entry, layerz: 3 })), /layerz/],
    ['with 0 layers', file(line('mine', { ...entry, layers: 0 })), /model\.json.*mine.*layers/],
    ['with a hidden size that heads do not divide', file(line('mine', { ...entry, hidden: 100, heads: 32 })), /mine.*(hidden|100).*32|mine.*heads/], // prettier-ignore
  ])('%s: place and reason, exit 2', async (_, text, message) => {
    mkdirSync(join(user.cwd, 'experiment'), { recursive: true });
    writeFileSync(join(user.cwd, 'experiment', 'model.json'), text);
    for (const argv of [['models'], ['throughput', '--dry-run']]) {
      const { code, stderr } = await user.run(argv);
      expect(stderr).toMatch(message);
      expect(stderr).toContain(join(user.cwd, 'experiment', 'model.json'));
      expect(code).toBe(2);
    }
  });
});
