import { exitCodes } from '../../errors.ts';
import type { CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .option('--python <path>', 'also look at this Python, as install --python would use it')
    .option('--json', 'print the checks and all facts as JSON')
    .action(async (flags) => {
      const { doctor } = await import('../../workflows/doctor.ts');
      const report = await doctor(io.context, flags.python === undefined ? {} : { python: flags.python });
      if (flags.json === true) io.print(JSON.stringify(report, null, 2));
      else {
        const { doctorText } = await import('../text/doctor.ts');
        io.print(doctorText(report));
      }
      if (!report.canRun) io.exitWith(exitCodes.environment);
    });
};
