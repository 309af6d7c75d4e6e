import { parseCount } from '../flags/values.ts';
import type { CommandIo, CommandModule } from './module.ts';

const probeHelp = `
Prints a system file: store it as experiment/systems/NAME.json in the folder you work in, and --system NAME knows it.
  superoffload systems probe > mine.json && mv mine.json experiment/systems/
Measures, in about half a minute: host memory (triad), DeepSpeed's CPU Adam where its op is built, and with a GPU
pinned copies each way, its memory, a bf16 matrix product, and copies between two GPUs. Every number says how.`;

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .command('list')
    .description('all machine profiles: memory, link, speed, launcher and scheduler')
    .option('--json', 'print JSON')
    .action(async (options) => {
      const { listSystems } = await import('../../workflows/systems/list-systems.ts');
      const systems = await listSystems(io.context);
      if (options.json === true) {
        io.print(JSON.stringify({ schemaVersion: 1, systems }, null, 2));
        return;
      }
      const { systemsTable } = await import('../text/systems.ts');
      io.print(systemsTable(systems));
    });
  command
    .command('show')
    .description('everything about one, and where each number comes from')
    .argument('<system>', 'its name')
    .option('--json', 'print JSON')
    .action(async (name, options) => {
      const { showSystem } = await import('../../workflows/systems/list-systems.ts');
      const shown = await showSystem(io.context, name);
      const { systemText } = await import('../text/systems.ts');
      io.print(options.json === true ? JSON.stringify(shown, null, 2) : systemText(shown));
    });
  declareProbe(command, io);
};

function declareProbe(command: Parameters<CommandModule['declare']>[0], io: CommandIo): void {
  command
    .command('probe')
    .description('measure this machine and print a system file')
    .option('--stack <name>', 'whose torch measures', 'pip')
    .option('--no-measure', 'only what can be looked up')
    .option('--memory <GiB>', 'measure as if the host had this much memory: smaller arrays', parseCount)
    .option('--allow-drift', 'measure with a stack that has changed since its install')
    .option('--dry-run', 'print the command that would measure, and run nothing')
    .option('--json', 'print JSON with every sample, the file under "system"')
    .addHelpText('after', probeHelp)
    .action(async ({ stack, measure, memory, json, ...flags }) => {
      const { probeSystem } = await import('../../workflows/systems/probe-system.ts');
      const dryRun = flags.dryRun === true;
      const allowDrift = flags.allowDrift === true;
      const request = { stack, measure, dryRun, allowDrift, memoryGiB: memory ?? null };
      const report = await probeSystem(io.context, request);
      const { probeDryRunText } = await import('../text/systems.ts');
      if (json === true) io.print(JSON.stringify(report, null, 2));
      else io.print(dryRun ? probeDryRunText(report) : JSON.stringify(report.system, null, 2));
    });
}
