import { quoteCommand } from '../../core/launch/quote.ts';
import { roundingUnits } from '../../core/stack/rollback.ts';
import type { RollbackCheck } from '../../core/stack/rollback.ts';
import type { RollbackReport } from '../../workflows/stacks/rollback.ts';
import { formatDuration, formatNumber } from './format.ts';
import { resultTable } from './result-table.ts';

/** What `rollback` says, for a person. */
export function rollbackText(report: RollbackReport): string {
  if (report.passed === null) return quoteCommand(report.command);
  return [
    heading(report),
    report.fork === null ? checksText(report.checks) : forkText(report.fork),
    ...(report.knownFaults.length === 0 ? [] : [knownText(report)]),
    verdict(report),
  ].join('\n\n');
}

function heading({ stack, torch, deepspeed, deepspeedCommit, program }: RollbackReport): string {
  const commit = deepspeedCommit === null ? '' : ` at ${deepspeedCommit.slice(0, 12)}`;
  const whose = program === 'fork' ? "DeepSpeed's own tests/superadam/rollback.py" : 'the check of this tool';
  return `stack ${stack}: DeepSpeed ${deepspeed}${commit}, torch ${torch}; ${whose}`;
}

function checksText(checks: readonly RollbackCheck[]): string {
  const numbers = ['size', 'step', 'parameters', 'momentum', 'variance', 'v < 0', 'not finite later'];
  const columns = [
    { title: 'check' },
    ...numbers.map((title) => ({ title, align: 'right' as const })),
    { title: 'verdict' },
  ];
  const rows = checks.map((check) => [
    check.title,
    check.sizes.join('+'),
    check.steps.join(', '),
    ...[check.parameterUnits, check.momentumUnits, check.varianceUnits].map(unitsText),
    String(check.negativeVariances),
    String(check.nonFiniteLater),
    check.passed ? 'passed' : 'failed',
  ]);
  const note =
    `Largest error after a step and its rollback, in units of fp32 rounding (${roundingUnits} allowed); elements whose ` +
    'v is below 0;\nparameters that are not finite after three more steps, the first of them without a gradient.';
  return `${resultTable(columns, rows)}\n\n${note}`;
}

function unitsText(units: number | null): string {
  return units === null ? 'not finite' : formatNumber(units);
}

function forkText(fork: NonNullable<RollbackReport['fork']>): string {
  const said = fork.output
    .trimEnd()
    .split('\n')
    .map((line) => `| ${line}`);
  const difference = `largest difference to step ${fork.step} in the ten values printed: ${formatNumber(fork.largestDifference)}`;
  return [...said, '', difference].join('\n');
}

function knownText({ knownFaults }: RollbackReport): string {
  const lines = knownFaults.map(({ fault, reference }) => `- ${fault}\n  ${reference}`);
  return ['Known faults of DeepSpeed that this shows:', ...lines].join('\n');
}

function verdict({ passed, checks, program, elapsedMs }: RollbackReport): string {
  const failed = checks.filter((check) => !check.passed).length;
  const what =
    program === 'fork' ? 'the rollback' : `${failed === 0 ? 'all' : `${failed} of`} ${checks.length} checks`;
  return `${what} ${passed === true ? 'passed' : 'failed'} (${formatDuration(elapsedMs)})`;
}
