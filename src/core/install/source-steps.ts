/** The steps that put upstream repositories into a stack, patch them, and make Python import them. */
import type { Requirement } from './requirements.ts';
import type { InstallFacts } from './facts.ts';
import { hasHashes, pipStep } from './package-steps.ts';
import { renderRequirements } from './requirements.ts';
import type { InstallStep } from './steps.ts';
import type { UpstreamChoice } from '../upstreams/choice.ts';
import type { UpstreamName } from '../upstreams/upstream.ts';

/** What a stack takes from source, and the Python packages that this needs. */
export interface SourceFacts {
  readonly choices: readonly UpstreamChoice[];
  /** Megatron's packages that neither torch nor DeepSpeed brings. */
  readonly packages: readonly Requirement[];
  /** Identifies what the note in `extrasDone` stands for. */
  readonly packagesKey: string;
  /** Packages of exactly this key are in place from an earlier install. */
  readonly packagesReady: boolean;
  /** Where DeepSpeed of the package index lies when it is ours to patch, else null. */
  readonly deepspeedPackages: string | null;
  /** `overlay`: settled. `build`: to be tried, when torch and Apex's tree are there. null: nothing needs Apex. */
  readonly apex: 'overlay' | 'build' | null;
  readonly checkProgram: string;
}

/** Everything that comes between the packages and the ops. */
export function sourceSteps(facts: InstallFacts): InstallStep[] {
  const { choices, deepspeedPackages } = facts.sources;
  const has = (name: UpstreamName): boolean => choices.some((choice) => choice.name === name);
  return [
    ...(deepspeedPackages === null ? [] : [patchStep('deepspeed', deepspeedPackages)]),
    ...(has('deepspeed') ? [...fetchSteps(facts, 'deepspeed'), ...editable(facts, 'deepspeed')] : []),
    ...(has('megatron') ? megatronSteps(facts) : []),
  ];
}

/** Apex comes before the patches of Megatron: whether it was built decides which of them there are. */
function megatronSteps(facts: InstallFacts): InstallStep[] {
  const apex: InstallStep[] =
    facts.sources.apex === 'build'
      ? [...fetchSteps(facts, 'apex'), { kind: 'apex', id: 'apex', title: 'build Apex, or say why not' }]
      : [];
  return [...extraPackages(facts), ...apex, ...fetchSteps(facts, 'megatron')];
}

/** Last: what Python really imports, from where a run imports it. */
export function importSteps({ sources, folders }: InstallFacts, python: string): InstallStep[] {
  const megatron = sources.choices.some(({ name }) => name === 'megatron');
  if (!megatron && sources.choices.length === 0) return [];
  const modules = megatron ? ['deepspeed', 'megatron', 'apex', 'pretrain_gpt'] : ['deepspeed'];
  return [
    {
      kind: 'command',
      id: 'imports',
      title: `import ${modules.join(', ')} as a run does`,
      command: [python, sources.checkProgram, ...modules],
      environment: 'stack',
      ...(megatron ? { cwd: `${folders.sources}/megatron` } : {}),
    },
  ];
}

function fetchSteps({ sources, folders }: InstallFacts, name: UpstreamName): InstallStep[] {
  const choice = sources.choices.find((each) => each.name === name);
  if (choice === undefined) return [];
  const directory = `${folders.sources}/${name}`;
  const from = `${choice.source.shown} ${choice.commit ?? choice.ref.name}`;
  return [
    { kind: 'source', id: `source-${name}`, title: `fetch ${name} from ${from}`, choice, directory },
    ...(name === 'apex' ? [] : [patchStep(name, directory)]),
  ];
}

function patchStep(upstream: UpstreamName, tree: string): InstallStep {
  return { kind: 'patch', id: `patch-${upstream}`, title: `patch ${upstream}`, upstream, tree };
}

/** `pip install -e`, with nothing else pulled in and no op compiled. */
function editable(facts: InstallFacts, name: UpstreamName): InstallStep[] {
  const directory = `${facts.folders.sources}/${name}`;
  const args = ['--no-deps', '--no-build-isolation', '-e', directory];
  const step = pipStep(facts, `editable-${name}`, `make Python import ${name} from its work tree`, args);
  // DeepSpeed's setup.py imports torch and looks at the accelerator, so it sees what a run sees.
  return [{ ...step, environment: 'stack', variables: { ...step.variables, DS_BUILD_OPS: '0' } }];
}

function extraPackages(facts: InstallFacts): InstallStep[] {
  const { packages, packagesKey, packagesReady } = facts.sources;
  if (packagesReady || packages.length === 0) return [];
  const withHashes = facts.findLinks === null && hasHashes(packages);
  const list = facts.folders.extraRequirements;
  const args = ['-r', list, '--no-deps', ...(withHashes ? ['--require-hashes'] : [])];
  return [
    {
      kind: 'write',
      id: 'extra-requirements',
      title: "write Megatron's requirements",
      path: list,
      text: renderRequirements(packages, withHashes),
    },
    pipStep(facts, 'extra-packages', "install Megatron's packages", args),
    {
      kind: 'write',
      id: 'extra-packages-done',
      title: "note that Megatron's packages are in place",
      path: facts.folders.extrasDone,
      text: `${JSON.stringify({ schemaVersion: 1, key: packagesKey })}\n`,
    },
  ];
}
