import type { InstallFacts } from './facts.ts';
import { renderRequirements } from './requirements.ts';
import type { Requirement } from './requirements.ts';
import type { InstallStep } from './steps.ts';

/** Steps that put the packages in place: a new environment, or only a link to ninja beside an adopted one. */
export function packageSteps(facts: InstallFacts): InstallStep[] {
  const { folders } = facts;
  const clean: InstallStep[] = [folders.packagesDone, folders.extrasDone, folders.venv, folders.bin].map(
    (path) => ({
      kind: 'remove',
      id: 'clean',
      title: 'remove what an earlier install left',
      path,
    }),
  );
  const done: InstallStep = {
    kind: 'write',
    id: 'packages-done',
    title: 'note that the packages are in place',
    path: folders.packagesDone,
    text: `${JSON.stringify({ schemaVersion: 1, key: facts.packagesKey })}\n`,
  };
  if (facts.origin === 'adopted') return [...clean, ...ninjaLink(facts, folders.bin), done];
  return [
    ...clean,
    createVenv(facts),
    ...(facts.origin === 'overlay' ? [overPackages(facts)] : []),
    ...installPackages(facts),
    ...(facts.packages.some(({ name }) => name === 'ninja') ? [] : ninjaLink(facts, `${folders.venv}/bin`)),
    done,
  ];
}

function createVenv({ installer, python, folders }: InstallFacts): InstallStep {
  const base = {
    kind: 'command',
    id: 'venv',
    title: 'create the environment',
    environment: 'installer',
  } as const;
  if (installer.kind === 'uv') {
    const command = [...installer.command, 'venv', '--no-project', '--python', python.path, folders.venv];
    return { ...base, command };
  }
  return {
    ...base,
    command: [
      python.path,
      '-m',
      'venv',
      ...(installer.from === 'ensurepip' ? [] : ['--without-pip']),
      folders.venv,
    ],
  };
}

/**
 * Puts the packages of the given Python behind those of the new environment. `--system-site-packages` would reach
 * the base interpreter instead when that Python is itself a virtual environment; site.addsitedir also reads its .pth
 * files. A DeepSpeed from source comes before them: the hook that `pip install -e` leaves is asked only where no
 * folder of sys.path has the name, and the given Python may have a DeepSpeed. Python's site skips a folder that is not there
 * yet.
 */
function overPackages({ folders, python, sources }: InstallFacts): InstallStep {
  const minor = python.version.split('.').slice(0, 2).join('.');
  const isFork = sources.choices.some(({ name }) => name === 'deepspeed');
  const lines = [
    ...(isFork ? [`${folders.sources}/deepspeed`] : []),
    ...python.sitePackages.map((path) => `import site; site.addsitedir(${JSON.stringify(path)})`),
  ];
  return {
    kind: 'write',
    id: 'overlay',
    title: `see the packages of ${python.path}`,
    path: `${folders.venv}/lib/python${minor}/site-packages/superoffload-overlay.pth`,
    text: `${lines.join('\n')}\n`,
  };
}

function installPackages(facts: InstallFacts): InstallStep[] {
  if (facts.packages.length === 0) return [];
  const withHashes = checksHashes(facts);
  const text =
    withHashes && facts.requirementsText !== null
      ? facts.requirementsText
      : renderRequirements(facts.packages, withHashes);
  const write: InstallStep = {
    kind: 'write',
    id: 'requirements',
    title: 'write the requirements',
    path: facts.folders.requirements,
    text,
  };
  const all = ['-r', facts.folders.requirements, ...(withHashes ? ['--require-hashes'] : [])];
  // Over other packages nothing may pull in a second torch.
  const exact = facts.isComplete ? ['--no-deps'] : [];
  const isolation = facts.isOffline ? ['--no-build-isolation'] : [];
  const tools = facts.packages.filter(({ name }) => name === 'setuptools' || name === 'wheel');
  const first =
    facts.isOffline && tools.length > 0
      ? [
          pipStep(
            facts,
            'build-tools',
            'install the build tools',
            tools.map((t) => `${t.name}==${t.version}`),
          ),
        ]
      : [];
  const names = facts.packages.filter(({ name }) => name === 'torch' || name === 'deepspeed');
  const title =
    names.length === 0 ? 'missing packages' : names.map((n) => `${n.name} ${n.version}`).join(' and ');
  return [write, ...first, pipStep(facts, 'packages', `install ${title}`, [...all, ...exact, ...isolation])];
}

/** A `pip install` with uv or pip, into the environment of the stack. */
export function pipStep(
  facts: InstallFacts,
  id: string,
  title: string,
  args: readonly string[],
): Extract<InstallStep, { kind: 'command' }> {
  const { installer, folders, findLinks, isOffline } = facts;
  const python = `${folders.venv}/bin/python`;
  const source = [
    ...(isOffline ? ['--no-index'] : []),
    ...(findLinks === null ? [] : ['--find-links', findLinks]),
  ];
  const base = { kind: 'command', id, title, environment: 'installer' } as const;
  if (installer.kind === 'uv') {
    const offline = isOffline ? ['--offline'] : [];
    return {
      ...base,
      command: [
        ...[...installer.command, 'pip', 'install', '--python', python, '--compile-bytecode'],
        ...[...offline, ...source, ...args],
      ],
    };
  }
  return {
    ...base,
    command: [
      ...[python, '-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--compile'],
      ...[...source, ...args],
    ],
    ...(typeof installer.from === 'string' ? {} : { variables: { PYTHONPATH: installer.from.wheel } }),
  };
}

/** torch takes the first ninja on PATH; another one than built the ops rebuilds all of them (2.6 s became 45). */
function ninjaLink({ systemNinja, python }: InstallFacts, directory: string): InstallStep[] {
  const own = python.packages['ninja'] === undefined ? null : python.path.replace(/[^/]*$/, 'ninja');
  const target = own ?? systemNinja;
  if (target === null) return [];
  return [
    { kind: 'link', id: 'ninja', title: 'put one ninja first on PATH', path: `${directory}/ninja`, target },
  ];
}

/** Files of a folder may have been built anywhere; from the index each one must be the file that was resolved. */
export function checksHashes({ isComplete, findLinks, packages }: InstallFacts): boolean {
  return isComplete && findLinks === null && hasHashes(packages);
}

export function hasHashes(packages: readonly Requirement[]): boolean {
  return packages.length > 0 && packages.every(({ hashes }) => hashes.length > 0);
}
