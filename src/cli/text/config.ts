import { describePlan } from '../../core/plan/describe.ts';
import type { ThroughputPlan } from '../../workflows/throughput/plan-throughput.ts';
import { otherSystemHint, skippedLines } from './plan-table.ts';

/** What `superoffload config` prints: the files and the command of every case, comments for the rest. */
export function configText({ plans, skipped, notes }: ThroughputPlan): string {
  const hints = skipped.some(({ kind }) => kind === 'needs-cuda') ? [otherSystemHint] : [];
  const comments = [...notes, ...skippedLines(skipped), ...hints].map((line) => `# ${line}`);
  return [...comments, ...plans.map(describePlan)].join('\n\n');
}
