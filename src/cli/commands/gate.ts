import { InvalidArgumentError } from '@commander-js/extra-typings';
import { Option } from '@commander-js/extra-typings';
import { caseWorkloadNames } from '../../core/experiment/case.ts';
import { metricNamed, metricNames, type MetricName } from '../../core/gate/metric.ts';
import { faultsError } from '../../errors.ts';
import { declareCaseFlags } from '../flags/case.ts';
import {
  collectNames,
  parseCount,
  parseDuration,
  parseNumber,
  parsePrecision,
  parseShare,
} from '../flags/values.ts';
import type { CommandIo, CommandModule } from './module.ts';

type Bare = Parameters<CommandModule['declare']>[0];

export const declare: CommandModule['declare'] = (bare, io) => {
  declareGate(bare).action(async (options) => {
    if (options.ab === undefined && options.baseline === undefined) {
      const expected = '--baseline FILE|TAG, or --ab BASE HEAD';
      throw faultsError('usage', [{ place: 'gate', problem: 'has nothing to compare with', expected }]);
    }
    if (options.ab !== undefined) {
      const { showAb } = await import('../screens/gate-ab.ts');
      await showAb(io, options);
    } else {
      const { showGate } = await import('../screens/gate.ts');
      await showGate(io, options);
    }
  });
  declareUpdate(bare, io);
};

export function declareGate(command: Bare) {
  return declareCaseFlags(command)
    .addOption(new Option('--workload <name>', 'what trains').choices(caseWorkloadNames))
    .optionsGroup('Against references:')
    .option(
      '--baseline <file|tag>',
      'references: a file of `gate update`, or a tag, campaign or run as it is',
    )
    .option('--from <source...>', 'runs to judge: ids, tags, campaigns, files (default: the newest of each)')
    .option('--threshold <share>', "how much worse is allowed (default: the reference's own, 5%)", parseShare)
    .option('--metric <name>', `${metricNames.join(', ')}; may be repeated`, parseMetrics)
    .option('--history <n>', 'earlier runs of a case that say how much it varies', parseNumber, 20)
    .addOption(
      new Option('--noise <level>', 'launches: sessions do not differ on this machine')
        .choices(['sessions', 'launches'] as const)
        .default('sessions' as const),
    )
    .option('--allow-missing', 'a reference whose case was not run is no open question')
    .optionsGroup('Two configurations in turns:')
    .option('--ab <side...>', 'BASE HEAD: stacks, DeepSpeed JSONs, or key=value,... (see: help gate)')
    .addOption(budgetOption())
    .option('--precision <share>', 'stop once the ratio is known within this', parsePrecision, 0.02)
    .option(
      '--min-pairs <n>',
      'pairs of launches at least, A B B A twice where neighbours are',
      parseCount,
      4,
    )
    .option('--max-pairs <n>', 'pairs of launches at most', parseCount, 50)
    .option('--timeout <duration>', 'end a run after this long, such as 10m', parseDuration)
    .option('--dry-run', 'print what would be done, start and write nothing')
    .optionsGroup('For CI:')
    .option('--junit <file>', 'JUnit XML, a test case a reference')
    .option('--markdown <file>', 'a summary in Markdown')
    .option('--github', 'annotations, and the job summary of GitHub Actions')
    .option('--gitlab [file]', 'Code Quality JSON for GitLab (default: gl-code-quality-report.json)')
    .addHelpText('after', sidesHelp);
}

/** Minutes on the screen, milliseconds inside. */
function budgetOption() {
  return new Option('--budget <minutes>', 'begin no pair that would take longer than this')
    .argParser(parseMinutes)
    .default(30 * 60_000, '30');
}

const sidesHelp = `
A side of --ab is the name of an installed stack, a DeepSpeed JSON, or settings:
  --ab pip fork
  --ab base.json head.json
  --ab attention=sdpa attention=unfused
  --ab stack=pip stack=fork,env.OMP_NUM_THREADS=8,ds.sub_group_size=1e8
Exit status: 0 no regression, 5 a regression, 6 cannot tell, 4 a run failed.`;

export type GateOptions = ReturnType<ReturnType<typeof declareGate>['opts']>;

function declareUpdate(command: Bare, io: CommandIo): void {
  command
    .command('update')
    .description('write references from stored runs, with where they come from')
    .requiredOption('--baseline <file>', 'the file of references; made where it is not there')
    .option('--from <source...>', 'runs that become references (default: the newest session of each case)')
    .option('--threshold <share>', 'how much worse is allowed, of new references', parseShare, 0.05)
    .option('--metric <name>', `${metricNames.join(', ')}; may be repeated`, parseMetrics)
    .option('--history <n>', 'earlier runs of a case that say how much it varies', parseNumber, 20)
    .option('--allow-looser', 'references may become worse')
    .option('--dry-run', 'print what would change, write nothing')
    .option('--json', 'print JSON')
    .action(async (options) => {
      const { showUpdate } = await import('../screens/gate.ts');
      await showUpdate(io, options);
    });
}

export interface UpdateFlags {
  readonly baseline: string;
  readonly from?: readonly string[] | undefined;
  readonly threshold: number;
  readonly metric?: readonly MetricName[] | undefined;
  readonly history: number;
  readonly allowLooser?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly json?: true | undefined;
}

function parseMetrics(text: string, before: readonly MetricName[] = []): MetricName[] {
  const names = collectNames(text);
  const known = names.map(metricNamed);
  const unknown = names.filter((_, index) => known[index] === null);
  if (unknown.length > 0) {
    throw new InvalidArgumentError(`No metric: ${unknown.join(', ')}. Expected ${metricNames.join(', ')}.`);
  }
  return [...before, ...known.filter((name) => name !== null)];
}

/** @returns milliseconds of a number of minutes, above 0. */
function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || minutes <= 0) {
    throw new InvalidArgumentError('Expected a number of minutes above 0, such as 30.');
  }
  return minutes * 60_000;
}
