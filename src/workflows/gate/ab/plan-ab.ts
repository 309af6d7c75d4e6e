import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { stackPaths } from '../../../adapters/stack/store.ts';
import { canonicalJson } from '../../../core/experiment/case-id.ts';
import { parseSide, type Side } from '../../../core/gate/ab/side.ts';
import { identityOf, type AbSide } from '../../../core/gate/ab/identity.ts';
import { abCaseId, abExperiment } from '../../../core/results/ab-launch.ts';
import type { RunPlan } from '../../../core/plan/run-plan.ts';
import { faultsError, type Fault } from '../../../errors.ts';
import type { Context } from '../../context.ts';
import type { PlanRequest } from '../../plan/request.ts';
import { planThroughput } from '../../throughput/plan-throughput.ts';

export interface AbPlan {
  readonly base: RunPlan;
  readonly head: RunPlan;
  readonly labels: { readonly base: string; readonly head: string };
  /** Equal for the same comparison on the same machine: what a second call goes on with. */
  readonly key: string;
  readonly notes: readonly string[];
}

/**
 * Plans both sides: the case of the flags, changed by what each side says. Reads, decides, starts nothing.
 * @throws SuperOffloadError 'usage' or 'config' with every fault of both sides.
 */
export async function planAb(
  context: Context,
  request: PlanRequest,
  [baseLabel, headLabel]: readonly [string, string],
): Promise<AbPlan> {
  const words = {
    isStack: (name: string) => isPlainName(name) && existsSync(stackPaths(context.home, name).lock),
    isFile: (name: string) =>
      statSync(resolve(context.cwd, name), { throwIfNoEntry: false })?.isFile() ?? false,
  };
  const sides = {
    base: parseSide(baseLabel, '--ab BASE', words),
    head: parseSide(headLabel, '--ab HEAD', words),
  };
  const faults = [sides.base, sides.head].flatMap((side): readonly Fault[] => ('label' in side ? [] : side));
  if (faults.length > 0 || !('label' in sides.base) || !('label' in sides.head))
    throw faultsError('usage', faults);
  const base = await planSide(context, request, sides.base, 'BASE');
  const head = await planSide(context, request, sides.head, 'HEAD');
  return {
    base: base.plan,
    head: head.plan,
    labels: { base: baseLabel, head: headLabel },
    key: createHash('sha256')
      .update(canonicalJson([identityOf(base), identityOf(head)]))
      .digest('hex')
      .slice(0, 16),
    notes: [...new Set([...base.notes, ...head.notes])],
  };
}

/** A stack's name is a folder's; a path is no stack. */
function isPlainName(name: string): boolean {
  return /^[\w.-]+$/.test(name) && name !== '.' && name !== '..';
}

async function planSide(
  context: Context,
  request: PlanRequest,
  side: Side,
  name: string,
): Promise<AbSide & { readonly notes: readonly string[] }> {
  const overrides = [...(request.flags.deepspeedOverrides ?? []), ...(side.flags.deepspeedOverrides ?? [])];
  const flags = {
    ...request.flags,
    ...side.flags,
    ...(overrides.length === 0 ? {} : { deepspeedOverrides: overrides }),
    batchRule: false,
  };
  const config = side.config === null ? request.configFile : resolve(context.cwd, side.config);
  const planned = await planThroughput(context, {
    ...request,
    flags,
    stack: side.stack ?? request.stack,
    configFile: config,
    command: null,
  });
  const [plan] = planned.plans;
  if (plan === undefined || planned.plans.length > 1) {
    const skipped = planned.skipped.map(({ reason }) => reason);
    const problem =
      plan === undefined
        ? `has nothing to run${skipped.length === 0 ? '' : `: ${[...new Set(skipped)].join('; ')}`}`
        : `is ${planned.plans.length} cases: ${planned.plans.map(({ title }) => title).join(' | ')}`;
    const place = `--ab ${name} (${side.label})`;
    throw faultsError('usage', [{ place, problem, expected: 'one case: give one --mode and one --model' }]);
  }
  return { plan: withSide(plan, side, name), env: side.env, notes: planned.notes };
}

function withSide(plan: RunPlan, side: Side, name: string): RunPlan {
  return {
    ...plan,
    experiment: abExperiment,
    caseId: abCaseId(plan.caseId, side.env),
    title: `${plan.title} [${name === 'BASE' ? 'A' : 'B'}: ${side.label}]`,
    env: { ...plan.env, ...side.env },
    unset: plan.unset.filter((variable) => !(variable in side.env)),
  };
}
