import { quoteCommand } from '../launch/quote.ts';
import { redactCommand } from '../results/redact.ts';
import { runFiles } from '../results/run-files.ts';
import { plainText } from './plain.ts';
import type { RunDetails } from './report-data.ts';

/** What lies in a run's folder, as it was read; null where it is not there. */
export interface FolderTexts {
  readonly plan: string | null;
  readonly config: string | null;
  readonly names: readonly string[];
}

/** Of a run of which only the record is there. */
export const noDetails: RunDetails = { command: null, config: null, losses: [], lossNote: null, files: [] };

/** Longer ones are in the run's folder: a page is read, not searched. */
const maxTextChars = 20_000;

/** In the order in which a person wants them. */
const linked: readonly string[] = [
  runFiles.log,
  runFiles.record,
  runFiles.plan,
  runFiles.deepspeedConfig,
  runFiles.script,
  runFiles.env,
  runFiles.events,
];

/** @returns what a page shows of a run's folder; a damaged plan is one without a command. */
export function folderDetails({ plan, config, names }: FolderTexts): Omit<RunDetails, 'losses' | 'lossNote'> {
  const command = plan === null ? null : commandOf(plan);
  return {
    command: command === null ? null : shown(quoteCommand(redactCommand(command))),
    config: config === null ? null : shown(configText(config)),
    files: linked.filter((name) => names.includes(name)),
  };
}

function shown(text: string): string {
  const plain = plainText(text.slice(0, maxTextChars)).trim();
  return text.length <= maxTextChars ? plain : `${plain}\u2026 (cut, ${text.length} characters in all)`;
}

/** Words and no secrets: what a shell would be given. */
function commandOf(plan: string): string[] | null {
  const value = parsed(plan) as { readonly command?: unknown } | null | undefined;
  const command = value?.command;
  if (!Array.isArray(command) || command.length === 0) return null;
  return command.map((word: unknown) => (typeof word === 'string' ? word : JSON.stringify(word)));
}

function configText(config: string): string {
  const value = parsed(config);
  if (value === undefined) return config;
  return JSON.stringify(value, null, 2);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
