import type { Case, LauncherName, System } from '../experiment/case.ts';
import { canonicalJson } from '../experiment/case-id.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { runFiles } from '../results/run-files.ts';

/** A one-way function of a text, hexadecimal (sha256): the rules have no cryptography of their own. */
export type Hash = (text: string) => string;

/** One cell of a campaign: a case, and what it is run with. */
export interface Cell {
  /** Names what is measured: two runs of equal keys measure the same. */
  readonly key: string;
  readonly caseId: string;
  /** One line for a person. */
  readonly title: string;
  readonly case: Case;
  readonly withWhat: CellSetting;
  /** Where it was added by the rule for the batch, in place of a cell that ran out of memory. */
  readonly variant?: CellVariant;
}

export interface CellVariant {
  /** Key of the cell with its whole batch at once. */
  readonly of: string;
  readonly why: 'accumulation' | 'recomputation';
}

/** What the key holds beside the case. */
export interface CellSetting {
  /** Hash of the DeepSpeed JSON; null where the run has none. */
  readonly deepspeed: string | null;
  /** Hash of the stack's lock; null without a stack. */
  readonly stack: string | null;
  readonly system: string;
  /** In words: `local` is a different machine wherever it is asked for. */
  readonly machine: string;
  /** All of the node's host memory, on however few chips: then other cases fit. */
  readonly exclusiveHost: boolean;
  /** Hash of the set-up lines and variables that its system file gives every rank. */
  readonly site: string;
  readonly launcher: LauncherName;
}

/** What a key is made of: the parts of a plan, as of a run that was stored. */
export type KeyedPlan = Pick<
  RunPlan,
  'case' | 'files' | 'stack' | 'system' | 'command' | 'env' | 'placement'
>;

/**
 * The cell of a plan. Where it runs, what it is called and how long it may take are no part of the key.
 * @returns null for a command of the user's: nothing is known of what it measures.
 */
export function cellOf(plan: KeyedPlan & Pick<RunPlan, 'caseId' | 'title'>, hash: Hash): Cell | null {
  if (plan.case === null) return null;
  const withWhat = settingOf(plan, hash);
  const key = hash(canonicalJson({ case: plan.case, ...withWhat }));
  return { key, caseId: plan.caseId, title: plan.title, case: plan.case, withWhat };
}

/** Cells in the order of the plans, each key once. */
export function distinctCells(cells: readonly Cell[]): Cell[] {
  return [...new Map(cells.map((cell) => [cell.key, cell])).values()];
}

function settingOf({ files, stack, system, placement, command, env }: KeyedPlan, hash: Hash): CellSetting {
  const config = files[runFiles.deepspeedConfig];
  return {
    deepspeed: config === undefined ? null : hash(canonicalJson(JSON.parse(config))),
    stack: stack?.hash ?? null,
    system: system.name,
    machine: machineText(system),
    exclusiveHost: placement?.exclusiveHost ?? false,
    site: hash(canonicalJson([system.site.setup, system.site.env])),
    launcher: launcherOf({ command, env }),
  };
}

/** The launcher of a plan, read off its command: plans of stored runs name it nowhere else. */
export function launcherOf({ command, env }: Pick<RunPlan, 'command' | 'env'>): LauncherName {
  if (command.includes('torch.distributed.run')) return 'torchrun';
  if (command.includes('deepspeed.launcher.runner')) return 'deepspeed';
  return env['RANK'] === '@SLURM_PROCID@' ? 'srun' : 'python';
}

/** Host memory is not in it: MemTotal moves from boot to boot (core/results/comparable.ts has the rule for it). */
function machineText({ accelerator, gpuName, gpuGiB, chipsPerNode, cores }: System): string {
  const chips = `${chipsPerNode} x ${gpuName ?? accelerator}${gpuGiB === null ? '' : ` ${gpuGiB} GiB`}`;
  return `${chips}, ${cores} cores`;
}
