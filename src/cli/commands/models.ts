import type { CommandIo, CommandModule } from './module.ts';

/** Positions that the listed counts include: the throughput experiments' sequence length. */
const sequenceLength = 1024;

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .option('--json', 'print the list as JSON')
    .addHelpText(
      'after',
      `\nParameters are counted, not read off the name: tied head, learned positions (${sequenceLength}), biases.` +
        "\nSizes of your own: experiment/model.json in the current folder; they beat the package's.",
    )
    .action(async ({ json }) => {
      await run(io, json === true);
    });
};

async function run(io: CommandIo, json: boolean): Promise<void> {
  const { listModels } = await import('../../workflows/models.ts');
  const models = listModels(io.context, sequenceLength);
  if (json) {
    io.print(JSON.stringify({ schemaVersion: 1, models }, null, 2));
    return;
  }
  const { renderTable } = await import('../../adapters/table.ts');
  io.print(
    renderTable(
      [
        { title: 'size' },
        { title: 'layers', align: 'right' },
        { title: 'hidden', align: 'right' },
        { title: 'heads', align: 'right' },
        { title: 'vocabulary', align: 'right' },
        { title: 'parameters', align: 'right' },
        { title: 'source' },
      ],
      models.map((model) => [
        model.name,
        String(model.layers),
        String(model.hidden),
        String(model.heads),
        String(model.paddedVocabulary),
        formatCount(model.parameters),
        model.source,
      ]),
    ),
  );
}

/** `2.120e9` style: what the paper's names are compared with. */
function formatCount(count: number): string {
  const exponent = count >= 1e9 ? 9 : count >= 1e6 ? 6 : 3;
  return `${(count / 10 ** exponent).toFixed(3)}e${exponent}`;
}
