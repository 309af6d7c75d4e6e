import type { Fault } from '../../errors.ts';
import type { SchedulingFlags } from '../launch/scheduling-flags.ts';
import { timeFault } from './time-limit.ts';

/** Options of sbatch by their long name without dashes; '' is an option without a value. */
export type SbatchOptions = Readonly<Record<string, string>>;

export type OptionsResult =
  | { readonly ok: true; readonly options: SbatchOptions }
  | { readonly ok: false; readonly faults: readonly Fault[] };

const layout = 'the layout comes from --chips and the system';
const folder = 'output goes into the run folder';
const handing = 'superoffload hands the script over itself';

/** What this tool decides itself: another value would break what it reads afterwards. */
const ours: Readonly<Record<string, string>> = {
  nodes: layout,
  ntasks: layout,
  'ntasks-per-node': layout,
  'ntasks-per-core': layout,
  'ntasks-per-gpu': layout,
  'ntasks-per-socket': layout,
  output: folder,
  error: folder,
  input: folder,
  'open-mode': folder,
  chdir: folder,
  'job-name': 'a job is found again by the name of its run',
  array: 'the campaign lays its runs out: --array',
  wrap: handing,
  wait: handing,
  parsable: handing,
  quiet: handing,
  verbose: handing,
  'test-only': handing,
  help: handing,
  usage: handing,
  version: handing,
};

/** `-p` and so on are refused with the long name: the script says what an option means. */
const shortNames: Readonly<Record<string, string>> = {
  A: 'account',
  C: 'constraint',
  M: 'clusters',
  c: 'cpus-per-task',
  d: 'dependency',
  p: 'partition',
  q: 'qos',
  t: 'time',
  w: 'nodelist',
  x: 'exclude',
};

/**
 * The options of the user and of the site, in the order of the script: the site's first, a flag in the place of the
 * site's own value. Names that nobody knows are left to sbatch: plugins of a site add their own.
 */
export function sbatchOptions(site: SbatchOptions, flags: SchedulingFlags): OptionsResult {
  const faults: Fault[] = [];
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(flags.slurm ?? {})) {
    faults.push(...valueFaults(`--${name}`, name, value));
    given[name] = value;
  }
  for (const word of flags.slurmWords ?? []) {
    const { name, value } = splitWord(word);
    const place = `--slurm ${word}`;
    faults.push(...nameFaults(place, name), ...valueFaults(place, name, value));
    if (given[name] !== undefined && given[name] !== value)
      faults.push({ place, problem: `--${name} is given twice, and differently` });
    given[name] = value;
  }
  for (const [name, value] of Object.entries(site)) {
    const place = `slurm.${name} of the system`;
    faults.push(...nameFaults(place, name), ...valueFaults(place, name, value));
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, options: joined(site, given) };
}

/** `KEY=VALUE`, `KEY`; dashes in front are forgiven. */
function splitWord(word: string): { name: string; value: string } {
  const bare = word.replace(/^--?(?=[A-Za-z])/, '');
  const equals = bare.indexOf('=');
  return equals < 0
    ? { name: bare, value: '' }
    : { name: bare.slice(0, equals), value: bare.slice(equals + 1) };
}

function nameFaults(place: string, name: string): Fault[] {
  const long = shortNames[name];
  if (long !== undefined) return [{ place, problem: 'is a short name', expected: `${long}=VALUE` }];
  if (!/^[a-z][a-z0-9-]+$/.test(name))
    return [{ place, problem: 'is no option of sbatch', expected: 'NAME=VALUE, or NAME for one without' }];
  const why = ours[name];
  return why === undefined ? [] : [{ place, problem: `cannot be set: ${why}` }];
}

function valueFaults(place: string, name: string, value: string): Fault[] {
  if (/[\r\n\0]/.test(value))
    return [{ place, problem: 'holds a line break, which a line of #SBATCH cannot' }];
  if (name === 'time') return timeFault(place, value);
  if (name === 'signal' && !/^B:(?:SIG)?USR1@\d{1,5}$/.test(value))
    return [{ place, problem: 'is not what the job listens to', expected: 'B:USR1@SECONDS' }];
  return [];
}

/** Of two that exclude each other the user's stays. */
const opposites: Readonly<Record<string, string>> = { requeue: 'no-requeue', 'no-requeue': 'requeue' };

function joined(site: SbatchOptions, given: SbatchOptions): SbatchOptions {
  const kept = Object.entries(site).filter(([name]) => {
    const opposite = opposites[name];
    return opposite === undefined || given[opposite] === undefined;
  });
  return { ...Object.fromEntries(kept), ...given };
}

/**
 * One line of the script. sbatch splits it as a shell would, but a backslash escapes only within quotes, and an
 * unquoted `#` begins a comment (seen on 22.05).
 */
export function directive(name: string, value: string): string {
  if (value === '') return `#SBATCH --${name}`;
  const isPlain = /^[A-Za-z0-9_@%+=:,./[\]&|*()-]+$/.test(value);
  return `#SBATCH --${name}=${isPlain ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`}`;
}

/** What a batch job has and an allocation that is held does not. */
const onlyOfJobs = ['requeue', 'no-requeue', 'signal', 'kill-on-invalid-dep', 'export', 'export-file'];

/** The words of salloc for the same machines. */
export function allocationWords(options: SbatchOptions): string[] {
  return Object.entries(options)
    .filter(([name]) => !onlyOfJobs.includes(name))
    .map(([name, value]) => (value === '' ? `--${name}` : `--${name}=${value}`));
}
