import { factGroups, type LockFact } from '../../core/stack/lock-facts.ts';
import { describeDrifts } from '../../core/stack/drift.ts';
import type { StackDiff, StackListing } from '../../workflows/stacks/stacks.ts';
import type { StackVerification } from '../../workflows/stacks/verify-stack.ts';
import { formatDuration } from './format.ts';
import { resultTable } from './result-table.ts';

export function stacksTable(listings: readonly StackListing[]): string {
  if (listings.length === 0) return 'no stacks yet; start with: superoffload install';
  const withSize = listings.some(({ bytes }) => bytes !== null);
  const columns = [
    ...['stack', 'state', 'origin', 'python', 'torch', 'DeepSpeed', 'on', 'upstreams', 'apex'].map(
      (title) => ({
        title,
      }),
    ),
    ...(withSize ? [{ title: 'GB', align: 'right' } as const] : []),
  ];
  const rows = listings.map(({ name, state, lock, upstreams, bytes }) => [
    ...[name, state],
    ...(lock === null
      ? ['-', '-', '-', '-', '-']
      : [lock.origin, lock.python.version, lock.torch.version, lock.deepspeed.version, lock.accelerator]),
    Object.entries(upstreams)
      .map(([upstream, text]) => `${upstream}: ${text}`)
      .join('\n') || '-',
    lock?.apex?.kind ?? '-',
    ...(withSize ? [gigabytes(bytes ?? 0)] : []),
  ]);
  const problems = listings.flatMap(({ name, problem }) => (problem === null ? [] : [`${name}: ${problem}`]));
  return [resultTable(columns, rows), ...problems].join('\n');
}

/** A lock for a person: what there is to say, in groups. */
export function stackText({
  name,
  directory,
  state,
  problem,
  bytes,
  facts,
}: StackListing & { readonly facts: readonly LockFact[] }): string {
  const head = [
    `stack ${name}: ${state}`,
    ...(problem === null ? [] : [indent(problem)]),
    `  folder  ${directory}`,
    ...(bytes === null ? [] : [`  size    ${gigabytes(bytes)} GB`]),
  ];
  // A patch's title may be long: it must not push every value out of sight.
  const width = Math.min(32, Math.max(0, ...facts.map((fact) => fact.name.length)));
  const groups = factGroups.flatMap((group) => {
    const lines = facts
      .filter((fact) => fact.group === group)
      .map((fact) => `  ${fact.name.padEnd(width)}  ${fact.value}`);
    return lines.length === 0 ? [] : [group, ...lines];
  });
  return [...head, ...groups].join('\n');
}

export function verificationText(report: StackVerification): string {
  const { name, hash, drifts, touched, renewed, hasManifest, files, bytes, elapsedMs } = report;
  const read = `${files} files, ${gigabytes(bytes)} GB, read in ${formatDuration(elapsedMs)}`;
  const verdict =
    drifts.length === 0
      ? `stack ${name} is as it was installed (lock ${hash.slice(0, 12)}): ${read}`
      : `stack ${name} is not as it was installed: ${drifts.length} difference${drifts.length === 1 ? '' : 's'} (${read})`;
  return [
    verdict,
    ...describeDrifts(drifts, 200).map((line) => `  ${line}`),
    ...(touched.length === 0 ? [] : [touchedText(touched, renewed)]),
    ...(hasManifest
      ? []
      : [
          'there is no manifest: packages were compared with their own RECORD files, work trees with the lock, and ' +
            `nothing else; to get a manifest: superoffload install --stack ${name} --reinstall`,
        ]),
  ].join('\n');
}

function touchedText(touched: readonly string[], renewed: boolean): string {
  const count = `${touched.length} file${touched.length === 1 ? '' : 's'}`;
  const first = touched.slice(0, 3).join(', ') + (touched.length > 3 ? ', ...' : '');
  const end = renewed ? '; the quick check knows the new times now' : '';
  return `of ${count} only time or mode changed, the content is the same (${first})${end}`;
}

export function diffText({ a, b, kind, differences }: StackDiff): string {
  const scope = kind === 'stacks' ? '' : ' (as far as the plan of a run knows)';
  if (differences.length === 0) return `${a} and ${b}: no difference${scope}`;
  const lines = differences.map(
    ({ group, name, a: left, b: right }) => `${group}, ${name}: ${left ?? 'none'} -> ${right ?? 'none'}`,
  );
  const count = `${differences.length} difference${differences.length === 1 ? '' : 's'}`;
  return [`${a} -> ${b}: ${count}${scope}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
