import { casesExitCode } from '../../core/results/exit-code.ts';
import { SuperOffloadError } from '../../errors.ts';
import { doctor } from '../../workflows/doctor.ts';
import { installStack } from '../../workflows/install/install.ts';
import { overlayTroubleOf } from '../../workflows/plan/overlay.ts';
import { planThroughput } from '../../workflows/throughput/plan-throughput.ts';
import { quickstartInstall, quickstartRequest } from '../../workflows/quickstart.ts';
import { measureThroughput } from '../../workflows/throughput/throughput.ts';
import type { CommandIo } from '../commands/module.ts';
import { doctorText } from '../text/doctor.ts';
import { widthOf } from '../text/fit-table.ts';
import { installText } from '../text/install.ts';
import { planTable } from '../text/plan-table.ts';
import { throughputTable } from '../text/throughput-table.ts';

export interface QuickstartOptions {
  readonly python: string | undefined;
  readonly json: boolean;
  readonly dryRun: boolean;
}

/** From a fresh clone to a measured table: check, install, run, and say what to try next. */
export async function showQuickstart(
  io: CommandIo,
  { python, json, dryRun }: QuickstartOptions,
): Promise<void> {
  const { context } = io;
  const say = (message: string): void => {
    context.emit({ type: 'note', message });
  };
  const diagnosis = await doctor(context, python === undefined ? {} : { python });
  if (!diagnosis.canRun) {
    throw new SuperOffloadError({
      code: 'environment',
      message: `this machine is not ready\n${doctorText(diagnosis)}`,
      hint: 'mend the lines marked "missing", then run quickstart again',
    });
  }
  const { accelerator } = diagnosis.facts;
  const install = await installStack(context, quickstartInstall(python, dryRun));
  say(installText(install));
  const hasOverlay = (await overlayTroubleOf(context, install.lock)) === null;
  const plan = await planThroughput(context, quickstartRequest(accelerator, { dryRun, hasOverlay }));
  for (const note of plan.notes) say(note);
  say(planTable(plan, widthOf(process.stderr)));
  if (dryRun) {
    io.print(json ? JSON.stringify({ install, plan }, null, 2) : 'dry run: nothing was installed or started');
    return;
  }
  const result = await measureThroughput(context, plan.plans, 1);
  const table = throughputTable(plan.machine.system, result, plan.skipped);
  io.print(json ? JSON.stringify({ install, ...result }, null, 2) : `${table}\n\n${whatNext(accelerator)}`);
  io.exitWith(casesExitCode(result.records, { askedByName: false, unsupportedAskedFor: false }));
}

function whatNext(accelerator: 'cuda' | 'cpu'): string {
  const more =
    accelerator === 'cuda'
      ? ['superoffload throughput --chips 1 --model 2B', 'superoffload models --memory']
      : [
          'superoffload throughput --chips 2',
          'superoffload config --chips 4 --model 5B --mode prism --system deltaai',
        ];
  return [
    'Next:',
    ...more.map((command) => `  ${command}`),
    '  superoffload runs show last',
    '  superoffload throughput --workload command -- python your_training.py',
  ].join('\n');
}
