import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const script = join(root, 'bench/gpu-session.sh');
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gpu-session-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A state folder whose stack has a Python that prints what it was given, and sleeps where it is told to. */
function home(): string {
  const python = join(folder, 'python');
  const words = [
    '#!/bin/bash',
    'echo "$TWO WORDS: ${@##*/}"',
    'case ${@: -1} in',
    "  stay) trap 'asked=$((asked + 1))' INT; while ((asked < 2)); do sleep 0.1; done; echo 'asked twice'; exit 9 ;;",
    'esac',
    'exit 0',
  ];
  writeFileSync(python, words.join('\n'));
  chmodSync(python, 0o755);
  const lock = { python: { path: python }, environment: { TWO: 'a b' } };
  const at = join(folder, 'home');
  mkdirSync(join(at, 'stacks/pip'), { recursive: true });
  mkdirSync(join(at, 'runs/one'), { recursive: true });
  writeFileSync(join(at, 'runs/one/record.json'), '{}');
  mkdirSync(join(at, 'tunes/two'), { recursive: true });
  writeFileSync(join(at, 'tunes/two/tuning.jsonl'), '{}');
  writeFileSync(join(at, 'stacks/pip/lock.json'), JSON.stringify(lock));
  return at;
}

function session(...steps: readonly string[]) {
  const env = { ...process.env, SUPEROFFLOAD_HOME: home(), TOTAL_SECONDS: '90', END_SECONDS: '1' };
  const [work, out] = [join(folder, 'work'), join(folder, 'out')];
  const done = spawnSync(script, ['--here', work, out, ...steps], { encoding: 'utf8', env });
  const archive = join(out, 'session.tar.gz');
  const read = (name: string): string =>
    spawnSync('tar', ['-xOzf', archive, name], { encoding: 'utf8' }).stdout;
  return { ...done, read, names: spawnSync('tar', ['-tzf', archive], { encoding: 'utf8' }).stdout };
}

describe('bench/gpu-session.sh', () => {
  it('runs each step to its own limit, goes on after one that failed, and keeps what each left', () => {
    const { status, read, names } = session(
      '20 check plain',
      '4 limits stay',
      '30 campaign run bench/campaigns/overlap_2b.json --list --system h200 --stack none-such',
    );
    expect(status).toBe(4);
    expect(read('./step1.out')).toBe('a b WORDS: check_overlap.py plain\n');
    // Asked twice, the tool kills its run, which would else train on beside the next step.
    expect(read('./limits.json')).toBe('a b WORDS: overlap_limits.py stay\nasked twice\n');
    const steps = read('./steps.tsv')
      .split('\n')
      .map((line) => line.split('\t'));
    expect(steps[0]).toEqual(['0', expect.stringMatching(/^\d+s$/), 'check plain']);
    expect(steps[1]).toEqual(['9', expect.stringMatching(/^\d+s$/), 'limits stay']);
    expect(steps[2]?.[2]).toMatch(/^campaign run/);
    expect(read('./step3.out') + read('./step3.err')).toMatch(/overlap_2b|prism_overlap/);
    expect(names).toContain('runs/one/record.json');
    expect(names).toContain('tunes/two/tuning.jsonl');
    expect(JSON.parse(read('./lock.json'))).toHaveProperty('environment');
  });

  it('checks on several GPUs, and keeps nothing that an earlier call in the same folder printed', () => {
    session('20 limits', '20 check plain');
    const { names, read } = session('20 check x2 clipped');
    expect(read('./step1.out')).toBe(
      'a b WORDS: -m torch.distributed.run --standalone --nproc-per-node 2 check_overlap.py clipped\n',
    );
    expect(names).not.toMatch(/step2|limits\.json/);
  });

  it('checks the other two programs by words of their own', () => {
    const { status, read } = session('20 check-host all@60', '20 check-loops');
    expect(status).toBe(0);
    expect(read('./step1.out')).toBe('a b WORDS: check_host_offload.py all@60\n');
    expect(read('./step2.out')).toBe('a b WORDS: check_loops.py\n');
  });

  it('refuses a step without its seconds, before anything is begun', () => {
    const done = spawnSync(script, ['--here', join(folder, 'work'), join(folder, 'out'), 'check plain'], {
      encoding: 'utf8',
    });
    expect([done.status, done.stderr]).toEqual([2, "gpu-session.sh: 'check plain' is no 'SECONDS WORDS'\n"]);
  });

  it('says in its help what its comment says', () => {
    const done = spawnSync(script, [], { encoding: 'utf8' });
    expect(done.status).toBe(2);
    expect(done.stderr).toContain('TOTAL_SECONDS (570)');
    expect(readFileSync(script, 'utf8')).toContain(done.stderr.trimEnd());
  });
});
