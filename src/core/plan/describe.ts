import { hostsScript } from '../launch/hosts-script.ts';
import { nodeScript } from '../launch/node-script.ts';
import { quoteWithPlaceholders } from '../launch/placeholders.ts';
import { quoteWord } from '../launch/quote.ts';
import { runFiles } from '../results/run-files.ts';
import { jobScript } from '../slurm/job-script.ts';
import { slurmPlanOf } from '../slurm/slurm-plan.ts';
import type { RunPlan } from './run-plan.ts';

/**
 * The run as a script: the environment this tool sets, then the command in place of the shell, so that exit
 * status and process group are the command's own. It is what runs, and what --dry-run prints. Under a schedule every
 * node runs it (with srun every rank), and it takes its place from the node's environment.
 */
export function runScript(plan: RunPlan): string {
  const folder = plan.cwd === null ? '"$(dirname "$0")"' : quoteWord(plan.cwd);
  // Without a schedule nothing is a placeholder: a command of the user's may well hold such a word.
  const quote = plan.schedule === undefined ? quoteWord : quoteWithPlaceholders;
  return [
    '#!/bin/sh',
    `# ${oneLine(plan.title)}`,
    `cd ${folder} || exit 127`,
    ...(plan.unset.length === 0 ? [] : [`unset ${plan.unset.join(' ')}`]),
    ...Object.entries(plan.env).map(([name, value]) => `export ${name}=${quote(value)}`),
    ...(runFiles.opsScript in plan.files ? [`. ./${runFiles.opsScript}`] : []),
    `exec ${plan.command.map(quote).join(' ')}`,
    '',
  ].join('\n');
}

/** @returns the scripts of a run folder by name; only a schedule has more than one. */
export function runScripts(plan: RunPlan): Readonly<Record<string, string>> {
  const { schedule } = plan;
  const run = { [runFiles.script]: runScript(plan) };
  if (schedule === undefined) return run;
  const setup = schedule.scheduler === 'slurm' ? schedule.setup : plan.system.site.setup;
  const node = { ...run, [runFiles.nodeScript]: nodeScript(oneLine(plan.title), setup) };
  if (schedule.scheduler === 'slurm') return node;
  return { ...node, [runFiles.hostsScript]: hostsScript(oneLine(plan.title), schedule.hosts) };
}

/** What --dry-run and `config` show of one run: each file with its content, then the scripts. */
export function describePlan(plan: RunPlan): string {
  const files = Object.entries({ ...plan.files, ...runScripts(plan), ...jobText(plan) });
  return [`# ${plan.title}`, ...files.flatMap(([name, content]) => [`## ${name}`, content.trimEnd()])].join(
    '\n',
  );
}

/** The job as it would be submitted; only the run's own name and folder are not known yet. */
function jobText(plan: RunPlan): Readonly<Record<string, string>> {
  if (plan.schedule?.scheduler !== 'slurm') return {};
  const place = { runId: 'RUN_ID', folder: '/RUN_FOLDER' };
  return { [runFiles.jobScript]: jobScript(slurmPlanOf(plan), place) };
}

function oneLine(title: string): string {
  return title.replaceAll(/[\r\n]+/g, ' ');
}
