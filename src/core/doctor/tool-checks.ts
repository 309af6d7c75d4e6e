import { choosePython, isUsable, newestSeenPython, oldestPython, rankOf } from '../stack/python.ts';
import type { PythonCandidate, PythonFacts } from '../stack/python.ts';
import type { Check, DoctorFacts, Level, ToolName } from './facts.ts';

/** What is needed to install and to run. With a ready stack, what only an install needs cannot stop the main job. */
export function toolChecks(facts: DoctorFacts): Check[] {
  const installed = facts.stacks.some(({ isCurrent }) => isCurrent);
  const chosen = choosePython(facts.pythons);
  const needed: Level = installed ? 'warn' : 'missing';
  return [
    ...pythonChecks(facts.pythons, chosen, needed),
    installerCheck(facts, chosen, needed),
    headerCheck(facts.pythons, chosen, needed),
    tool(facts, 'g++', 'missing', 'apt install g++, or dnf install gcc-c++'),
    { ...tool(facts, 'ninja', 'ok', null), ...(facts.tools.ninja.version === null ? ninjaAbsent : {}) },
    tool(facts, 'git', 'warn', 'apt install git; needed for patches and the fork'),
    tool(facts, 'git-lfs', 'warn', 'apt install git-lfs; needed for some data sets'),
    tool(facts, 'ssh', 'warn', 'apt install openssh-client; needed for several nodes'),
    tool(facts, 'numactl', 'warn', 'apt install numactl; needed to bind cores to ranks'),
  ];
}

const ninjaAbsent = { found: 'not on PATH; the stack brings its own' } as const;

function pythonChecks(
  candidates: readonly PythonCandidate[],
  chosen: PythonFacts | undefined,
  needed: Level,
): Check[] {
  const works = candidates.flatMap(({ facts }) => facts ?? []);
  const lines = works.map((facts): Check => describePython(facts, chosen));
  const broken = candidates.filter(({ facts }) => facts === null);
  const ignored: Check[] =
    broken.length === 0
      ? []
      : [
          {
            id: 'python',
            level: 'ok',
            found: `does not run, ignored: ${broken.map(({ command, problem }) => `${command} (${(problem ?? '').slice(0, 60)})`).join(', ')}`,
            fix: null,
          },
        ];
  if (chosen !== undefined) return [...lines, ...ignored];
  const range = `${oldestPython} to ${newestSeenPython}`;
  const none: Check = {
    id: 'python',
    level: needed,
    found: 'none that a stack can be made with',
    fix: `uv python install ${newestSeenPython}, or install Python ${range} with its headers (python3-dev)`,
  };
  return [none, ...lines, ...ignored];
}

function describePython(facts: PythonFacts, chosen: PythonFacts | undefined): Check {
  const rank = rankOf(facts.version);
  const isChosen = facts.path === chosen?.path;
  const remarks = [
    ...(isChosen ? ['install uses this one'] : []),
    ...(rank === 'too old' ? [`too old, ${oldestPython} is the oldest that works`] : []),
    ...(rank === 'unseen' ? [`newer than ${newestSeenPython}, not seen working`] : []),
    ...(facts.hasHeaders ? [] : ['no Python.h']),
    ...(facts.is64Bit ? [] : ['32-bit']),
  ];
  const found = [`${facts.version}  ${facts.path}`, ...remarks].join('; ');
  const doubtful = isChosen && rank === 'unseen';
  const fix = doubtful
    ? `superoffload install --python PATH, with ${oldestPython} to ${newestSeenPython}`
    : null;
  return { id: 'python', level: doubtful ? 'warn' : 'ok', found, fix };
}

function installerCheck({ tools }: DoctorFacts, chosen: PythonFacts | undefined, needed: Level): Check {
  const { version, path } = tools.uv;
  if (version !== null) return { id: 'uv', level: 'ok', found: `${version}  ${path ?? ''}`, fix: null };
  if (chosen?.hasVenv === true && chosen.hasEnsurepip) {
    return {
      id: 'venv',
      level: 'ok',
      found: 'venv and pip; no uv (it is faster: pip install uv)',
      fix: null,
    };
  }
  const fix = 'install uv, or the venv package of your Python (Debian, Ubuntu: python3-venv)';
  return { id: 'venv', level: needed, found: 'neither uv nor venv with pip', fix };
}

function headerCheck(
  candidates: readonly PythonCandidate[],
  chosen: PythonFacts | undefined,
  needed: Level,
): Check {
  if (chosen !== undefined) return { id: 'Python.h', level: 'ok', found: `of ${chosen.version}`, fix: null };
  const recent = candidates.flatMap(({ facts }) => (facts === null || isUsable(facts) ? [] : [facts]));
  const without = recent.filter(({ version, hasHeaders }) => rankOf(version) !== 'too old' && !hasHeaders);
  const found =
    without.length === 0
      ? 'no Python to look for it in'
      : `absent for ${without.map((p) => p.path).join(', ')}`;
  return {
    id: 'Python.h',
    level: needed,
    found,
    fix: 'apt install python3-dev, or dnf install python3-devel',
  };
}

function tool({ tools }: DoctorFacts, name: ToolName, whenAbsent: Level, fix: string | null): Check {
  const { path, version } = tools[name];
  if (version !== null) return { id: name, level: 'ok', found: `${version}  ${path ?? ''}`, fix: null };
  const found = path === null ? 'not found' : `${path} does not run`;
  return { id: name, level: whenAbsent, found, fix };
}
