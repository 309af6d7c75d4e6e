import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { writeToyStack } from './e2e/toy-stack.ts';

const root = join(import.meta.dirname, '..');

interface Step {
  readonly name: string;
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as Action;
const { steps } = action.runs;

const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'action-')));
const home = join(cwd, 'home');
afterAll(() => {
  rmSync(cwd, { recursive: true, force: true });
});
beforeAll(async () => {
  mkdirSync(home, { recursive: true });
  await writeToyStack(home);
});

/** The program from its sources, called as the built one is. */
const program = join(cwd, 'program.mjs');
writeFileSync(
  program,
  `import { spawnSync } from 'node:child_process';
const { status } = spawnSync(process.execPath, ['--import', ${JSON.stringify(import.meta.resolve('tsx'))}, ${JSON.stringify(join(root, 'src', 'main.ts'))}, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
`,
);

/** Runs a step as the runner does: its own bash, its expressions filled in, its outputs read from the file. */
function runStep(step: Step, inputs: Readonly<Record<string, string>>) {
  const output = join(cwd, 'output');
  const summary = join(cwd, 'summary.md');
  for (const path of [output, summary]) writeFileSync(path, '');
  const values: Readonly<Record<string, string>> = {
    'steps.find.outputs.program': program,
    'steps.find.outputs.home': home,
    'github.action_path': root,
  };
  const fill = (text: string): string =>
    text.replace(/\$\{\{ *([\w.-]+) *\}\}/g, (_, name: string) => {
      const input = /^inputs\.(.+)$/.exec(name)?.[1];
      const value = input === undefined ? values[name] : (inputs[input] ?? action.inputs[input]?.default);
      if (value === undefined) throw new Error(`nothing gives ${name}`);
      return value;
    });
  const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, fill(value)]));
  const end = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run!], {
    cwd,
    encoding: 'utf8',
    env: {
      ...{ PATH: process.env['PATH']!, HOME: cwd, RUNNER_TEMP: cwd, GITHUB_WORKSPACE: cwd },
      ...{ GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, ...env },
    },
  });
  const outputs = new Map(
    readFileSync(output, 'utf8').trimEnd().split('\n').map((line) => line.split(/=(.*)/s) as [string, string]),
  ); // prettier-ignore
  return {
    code: end.status,
    stdout: end.stdout,
    stderr: end.stderr,
    outputs,
    summary: readFileSync(summary, 'utf8'),
  };
}

const stepNamed = (name: string): Step => steps.find((step) => step.name === name)!;
const toyInputs = { stack: 'toy', model: '1x64', steps: '8' };

describe('the composite action', () => {
  it('gives no input to a shell but through the environment: a branch name must not become a command', () => {
    expect(action.runs.using).toBe('composite');
    for (const { run, shell, uses } of steps) {
      if (uses !== undefined) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/);
      else {
        expect(shell).toBe('bash');
        expect(run).not.toContain('${{');
      }
    }
    const used = JSON.stringify(steps);
    for (const [name, { description }] of Object.entries(action.inputs)) {
      expect(description.length).toBeGreaterThan(3);
      expect(used).toContain(`inputs.${name}`);
    }
  });

  it('finds the program beside it, and installs no stack that is there', () => {
    const found = runStep(stepNamed('Find superoffload'), {});
    expect(found.code, found.stderr).toBe(0);
    expect(found.outputs.get('program')).toBe(join(root, 'dist', 'main.js'));
    expect(found.outputs.get('home')).toBe(join(cwd, '.superoffload'));
    const install = runStep(stepNamed('Install the stack'), toyInputs);
    expect([install.code, install.stdout]).toEqual([0, '']);
  });

  it('judges two configurations in turns: exit code, annotations, summary, reports', () => {
    const inputs = { ...toyInputs, 'ab-base': 'env.SIDE=a b;$(touch hacked)', 'ab-head': "env.SIDE='c" };
    const end = runStep(stepNamed('Measure and judge'), inputs);
    expect(end.code, end.stderr).toBe(0);
    expect(end.outputs.get('exit-code')).toBe('0');
    expect(readFileSync(end.outputs.get('report')!, 'utf8')).toContain('PASS');
    expect(end.summary).toContain('PASS');
    expect(end.stdout).toContain('::stop-commands::');
  });

  it('judges against a baseline, and passes on what cannot be told unless it is allowed', () => {
    const step = stepNamed('Measure and judge');
    const inputs = { ...toyInputs, baseline: 'base.json', repeat: '1' };
    const none = runStep(step, inputs);
    expect(none.code, none.stderr).toBe(2);
    const update = ['gate', 'update', '--baseline', 'base.json'];
    spawnSync(process.execPath, [program, ...update], {
      cwd,
      env: { ...process.env, SUPEROFFLOAD_HOME: home },
    });
    const judged = runStep(step, { ...inputs, repeat: '2' });
    expect(judged.outputs.get('exit-code'), judged.stdout + judged.stderr).toMatch(/^[06]$/);
    const wanting = { ...inputs, metric: 'mfu' };
    expect(runStep(step, wanting).code).toBe(6);
    expect(runStep(step, { ...wanting, 'allow-inconclusive': 'true' })).toMatchObject({ code: 0 });
  });

  it('says what is missing where nothing is asked for', () => {
    const end = runStep(stepNamed('Measure and judge'), toyInputs);
    expect(end.code).toBe(2);
    expect(end.stdout).toContain('::error title=superoffload gate::give baseline');
  });
});
