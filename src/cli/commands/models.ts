import type { ListedModel, ModelsRequest } from '../../workflows/models.ts';
import { formatCount } from '../text/format.ts';
import { parseCount } from '../flags/values.ts';
import type { CommandIo, CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .option('--memory', 'show what the offload modes need for each size, first order')
    .option('--chips <n>', 'with --memory: chips of one node', parseCount, 1)
    .option('--micro-batch <n>', 'with --memory: sequences a rank', parseCount, 8)
    .option('--sequence-length <n>', 'positions, counted in the parameters too', parseCount, 1024)
    .option('--json', 'print the list as JSON, memory of every mode included')
    .addHelpText(
      'after',
      '\nParameters are counted, not read off the name: tied head, learned positions, biases.' +
        "\nSizes of your own: experiment/model.json in the current folder; they beat the package's.",
    )
    .action(async ({ memory, json, ...request }) => {
      await run(io, request, { memory: memory === true, json: json === true });
    });
};

async function run(
  io: CommandIo,
  request: ModelsRequest,
  show: { readonly memory: boolean; readonly json: boolean },
): Promise<void> {
  const { listModels } = await import('../../workflows/models.ts');
  const models = listModels(io.context, request);
  if (show.json) {
    io.print(JSON.stringify({ schemaVersion: 1, ...request, models }, null, 2));
    return;
  }
  const { resultTable } = await import('../text/result-table.ts');
  const columns = show.memory ? memoryColumns : shapeColumns;
  const table = resultTable(
    columns.map(({ title, align }) => ({ title, align })),
    models.map((model) => columns.map(({ cell }) => cell(model))),
  );
  const notes = [
    ...(models.some(({ isUsers }) => isUsers) ? [`${usersMark} from ${usersFile(io)}`] : []),
    positionsNote(request),
    ...(show.memory ? [memoryNote(request)] : []),
  ];
  io.print([table, ...notes].join('\n\n'));
}

/** A run of a toy at its own, shorter sequence has so many fewer that it looks like another model. */
function positionsNote({ sequenceLength }: ModelsRequest): string {
  return `parameters: with learned positions for ${sequenceLength} tokens; a run has those of its sequence length`;
}

/** Behind the name of a size that is not the package's, whatever it is called. */
const usersMark = '*';

function usersFile({ context }: CommandIo): string {
  return `${context.cwd}/experiment/model.json, which stands before the package's`;
}

interface ModelColumn {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly cell: (model: ListedModel) => string;
}

const nameColumns: readonly ModelColumn[] = [
  { title: 'size', align: 'left', cell: ({ name, isUsers }) => `${name}${isUsers ? usersMark : ''}` },
  { title: 'parameters', align: 'right', cell: (model) => formatCount(model.parameters) },
];

const shapeColumns: readonly ModelColumn[] = [
  ...nameColumns,
  { title: 'layers', align: 'right', cell: (model) => String(model.layers) },
  { title: 'hidden', align: 'right', cell: (model) => String(model.hidden) },
  { title: 'heads', align: 'right', cell: (model) => String(model.heads) },
  { title: 'vocabulary', align: 'right', cell: (model) => String(model.paddedVocabulary) },
  { title: 'source', align: 'left', cell: (model) => model.source },
];

const memoryColumns: readonly ModelColumn[] = [
  ...nameColumns,
  ...(['prism', 'prism_overlap', 'zero_offload', 'zero_infinity', 'zero_infinity_param'] as const).map(
    (mode): ModelColumn => ({
      title: mode,
      align: 'right',
      cell: ({ needs }) => `${needs[mode].gpuGiB.toFixed(1)} + ${needs[mode].hostGiB.toFixed(1)}`,
    }),
  ),
];

function memoryNote({ chips, microBatch, sequenceLength }: ModelsRequest): string {
  return (
    `GiB of GPU memory a chip + GiB of host memory a node: ${chips} chip${chips === 1 ? '' : 's'}, ` +
    `micro-batch ${microBatch}, sequence ${sequenceLength}, bf16, no recomputation.\n` +
    'First-order formulas; pinned host memory counts as the allocator rounds it, up to a power of two (not in prism_overlap).'
  );
}
