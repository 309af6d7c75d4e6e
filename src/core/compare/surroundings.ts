import type { Site } from '../experiment/case.ts';
import { isBusyMachine } from '../results/busy-machine.ts';
import type { Difference } from '../results/fairness.ts';
import type { RunRecord } from '../results/record.ts';
import { describeUpstream } from '../stack/reference.ts';
import { upstreamNames } from '../upstreams/upstream.ts';

/** MemTotal moves by a little from boot to boot. */
const memoryShare = 0.02;

/** What else was not the same: it need not touch a ratio, and may explain one. */
export function surroundingDifferences(a: RunRecord, b: RunRecord): Difference[] {
  const [left, right] = [surroundings(a), surroundings(b)];
  const named = [...left].flatMap(([name, value]) => {
    const other = right.get(name) ?? null;
    return value === null || other === null || value === other ? [] : [{ name, a: value, b: other }];
  });
  return [...named, ...hostMemory(a, b), ...siteDifferences(a.system.site, b.system.site)];
}

function hostMemory(
  { system: { hostGiB: a } }: RunRecord,
  { system: { hostGiB: b } }: RunRecord,
): Difference[] {
  if (a === null || b === null || Math.abs(a - b) <= memoryShare * Math.max(a, b)) return [];
  return [{ name: 'host memory', a: `${a.toFixed(0)} GiB`, b: `${b.toFixed(0)} GiB` }];
}

/** Lines and variables that every rank gets from its system's file. */
function siteDifferences(a: Site, b: Site): Difference[] {
  const names = [...new Set([...Object.keys(a.env), ...Object.keys(b.env)])].sort();
  const of = (value: string | undefined): string => value ?? 'not set';
  const variables = names
    .filter((name) => a.env[name] !== b.env[name])
    .map((name) => ({ name, a: of(a.env[name]), b: of(b.env[name]) }));
  const [before, after] = [a.setup, b.setup].map((lines) => lines.join('; '));
  if (before === after) return variables;
  return [{ name: 'set-up lines', a: before || 'none', b: after || 'none' }, ...variables];
}

/** null: not known, or not there. */
function surroundings(record: RunRecord): Map<string, string | null> {
  const { tool, stack, system, placement, facts, conditions } = record;
  const commit = tool?.commit?.slice(0, 12);
  const busy = conditions.runningTasksBefore;
  return new Map<string, string | null>([
    [
      'superoffload',
      tool === null
        ? null
        : `${tool.version}${commit === undefined ? '' : ` ${commit}`}${tool.dirty === true ? ' (changed)' : ''}`,
    ],
    ...upstreamNames.map((name): [string, string | null] => {
      const upstream = stack?.upstreams?.[name];
      return [
        `${name} source`,
        stack?.upstreams === undefined ? null : upstream === undefined ? 'none' : describeUpstream(upstream),
      ];
    }),
    ['apex', stack?.apex ?? null],
    ['drift', stack === null ? null : stack.drift === undefined ? 'none' : `${stack.drift.length} files`],
    ['CUDA', facts['cuda'] ?? null],
    ['device', facts['device'] ?? system.gpuName],
    ['cores', facts['cores'] ?? String(system.cores)],
    ['pages', placement?.machine?.pageBytes ? `${placement.machine.pageBytes / 1024} KiB` : null],
    ['driver memory mode', placement?.machine?.coherentGpuMemoryMode ?? null],
    ['throttling', conditions.gpu === null ? null : conditions.gpu.throttleReasons.join(', ') || 'none'],
    [
      'other tasks before',
      busy === null ? null : isBusyMachine(busy, system.cores) ? `${busy} running` : 'few or none',
    ],
  ]);
}
