import type { Check, DoctorFacts } from './facts.ts';
import { machineChecks } from './machine-checks.ts';
import { toolChecks } from './tool-checks.ts';

export interface Diagnosis {
  readonly checks: readonly Check[];
  /** The main job can run: now, or after `superoffload install`. */
  readonly canRun: boolean;
  readonly accelerator: 'cuda' | 'cpu';
}

/** Facts in, verdicts out: nothing is looked at here. */
export function diagnose(facts: DoctorFacts): Diagnosis {
  const checks = [...toolChecks(facts), ...machineChecks(facts), ...stackChecks(facts)];
  const canRun = checks.every(({ level }) => level !== 'missing');
  return { checks, canRun, accelerator: facts.accelerator };
}

function stackChecks({ stacks, stackProblems }: DoctorFacts): Check[] {
  const ready = stacks.map(({ name, torch, deepspeed, accelerator, isCurrent }): Check => {
    const found = `${name}: torch ${torch}, DeepSpeed ${deepspeed}, ${accelerator}`;
    return isCurrent
      ? { id: 'stack', level: 'ok', found, fix: null }
      : {
          ...{ id: 'stack', level: 'warn', found: `${found}; made for another CPU or accelerator` },
          fix: 'superoffload install builds its ops anew',
        };
  });
  const broken = stackProblems.map((found): Check => ({
    ...{ id: 'stack', level: 'warn', found },
    fix: 'superoffload install (with --reinstall where the lock is damaged)',
  }));
  if (ready.length + broken.length > 0) return [...ready, ...broken];
  return [{ id: 'stack', level: 'warn', found: 'none installed', fix: 'superoffload install' }];
}
