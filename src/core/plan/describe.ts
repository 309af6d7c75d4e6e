import { quoteCommand, quoteWord } from '../launch/quote.ts';
import { runFiles } from '../results/run-files.ts';
import type { RunPlan } from './run-plan.ts';

/**
 * The run as a script: the environment this tool sets, then the command in place of the shell, so that exit
 * status and process group are the command's own. It is what runs, and what --dry-run prints.
 */
export function runScript(plan: RunPlan): string {
  const folder = plan.cwd === null ? '"$(dirname "$0")"' : quoteWord(plan.cwd);
  return [
    '#!/bin/sh',
    `# ${plan.title.replaceAll(/[\r\n]+/g, ' ')}`,
    `cd ${folder} || exit 127`,
    ...(plan.unset.length === 0 ? [] : [`unset ${plan.unset.join(' ')}`]),
    ...Object.entries(plan.env).map(([name, value]) => `export ${name}=${quoteWord(value)}`),
    `exec ${quoteCommand(plan.command)}`,
    '',
  ].join('\n');
}

/** What --dry-run and `config` show of one run: each file with its content, then the script. */
export function describePlan(plan: RunPlan): string {
  const files = Object.entries({ ...plan.files, [runFiles.script]: runScript(plan) });
  return [`# ${plan.title}`, ...files.flatMap(([name, content]) => [`## ${name}`, content.trimEnd()])].join(
    '\n',
  );
}
