import { userFiles } from '../../adapters/experiment-data.ts';
import type { Case, SchedulerName } from '../../core/experiment/case.ts';
import { lackingMemory } from '../../core/model/predict.ts';
import { gpuTrouble, type Machine } from '../machine.ts';
import type { Setting } from './request.ts';

type KnownData = Pick<Setting, 'folders' | 'known' | 'user'>;

/** What a reader of the plan must know before he believes it. */
export function planNotes(machine: Machine, cases: readonly Case[], data: KnownData): string[] {
  const chips = Math.max(1, ...cases.map((subject) => subject.chips));
  return [
    ...machineNotes(machine, chips),
    ...dataNotes(data, cases),
    ...memoryNotes(machine, cases, data.user.flags.exclusiveHost ?? false),
  ];
}

/** The nodes are other machines, and `local` is this one: its memory and cores are in every number of the plan. */
export function otherMachineNotes(
  { system, facts }: Machine,
  schedule: SchedulerName,
  chips: number,
): string[] {
  if (schedule === 'local' && system.accelerator === 'cuda' && chips > system.chipsPerNode) {
    return [
      `system ${system.name} has ${system.chipsPerNode} chip(s) a node, and this plan puts ${chips} on one: ` +
        'for several nodes add --hostfile FILE or --scheduler slurm',
    ];
  }
  if (schedule === 'local' || system.name !== 'local') return [];
  const gpus = facts.gpus.length === 0 ? 'no GPU' : `${facts.gpus.length} GPUs`;
  return [
    `memory, cores (${facts.cpu.cores}) and GPUs (${gpus}) of this plan are this machine's own: ` +
      'for those of the nodes name their system with --system (superoffload systems list, or a file of yours)',
  ];
}

function machineNotes({ system, facts }: Machine, chips: number): string[] {
  if (system.accelerator !== 'cpu') return [];
  return [
    `no GPU${gpuTrouble(facts)}: these runs are functional, on CPU ranks; ` +
      'their speed says nothing about a GPU or a superchip',
    ...(chips > facts.cpu.cores ? [`${chips} ranks share ${facts.cpu.cores} cores`] : []),
  ];
}

/** A size or a profile of the same name as one of the package's may be another one. */
function dataNotes({ folders, known }: KnownData, cases: readonly Case[]): string[] {
  const found = userFiles(folders);
  if (found === null) return [];
  const used = new Set(cases.map(({ model }) => model.name));
  const sizes = known.filter(({ isUsers, shape }) => isUsers && used.has(shape.name));
  const names = sizes.map(({ shape }) => shape.name).join(', ');
  const files = found.files.map((file) =>
    file === 'model.json' && names !== '' ? `${file} (${names} of this plan)` : file,
  );
  return [`data of ${found.folder} stands before the package's: ${files.join(', ')}`];
}

/** A size asked for by name is run even where it should not fit: the formulas are of first order. */
function memoryNotes({ system }: Machine, cases: readonly Case[], exclusiveHost: boolean): string[] {
  return cases.flatMap((subject) => {
    const lacks = lackingMemory(subject, system, { exclusiveHost });
    return lacks === null ? [] : [`${subject.mode} ${subject.model.name} may not fit: ${lacks}`];
  });
}
