import { quoteCommand } from '../launch/quote.ts';
import { redactCommand, redactText } from '../results/redact.ts';
import { runFiles } from '../results/run-files.ts';
import { plainText } from '../text/plain.ts';
import type { RunDetails } from './report-data.ts';

/** What lies in a run's folder, as it was read; null where it is not there. */
export interface FolderTexts {
  readonly plan: string | null;
  readonly config: string | null;
  readonly names: readonly string[];
}

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

/** Up to so many runs every page shows everything; beyond, a report would be more megabytes than anybody sends. */
export const fullRuns = 300;
/** Of copied configurations in a longer report, in characters. */
const copiedChars = 100_000;
/** What a page of a longer report links: the folder itself has the rest. */
const briefLinked: readonly string[] = [runFiles.log, runFiles.record];

type FolderDetails = Pick<RunDetails, 'configuration' | 'files'>;

/**
 * @param runs in the whole report
 * @returns what the page of each run shows of its folder, one run after the other: in a long report a configuration is
 * shown once, and linked from the other runs that have the same. A damaged plan is one without a command.
 */
export function createFolderReader(runs: number): (runId: string, texts: FolderTexts) => FolderDetails {
  const seen = new Map<string, string>();
  let left = copiedChars;
  return (runId, { plan, config, names }) => {
    const wanted = runs > fullRuns ? briefLinked : linked;
    const there = (files: readonly string[]): string[] => files.filter((name) => names.includes(name));
    const started = plan === null ? null : startOf(plan);
    const configuration = {
      kind: 'shown',
      command: started === null ? null : shown(quoteCommand(redactCommand(started.command))),
      deepspeed: config === null ? null : shown(redactText(configText(config))),
    } as const;
    if (runs <= fullRuns) return { configuration, files: there(wanted) };
    const text = `${configuration.command ?? ''}\n${configuration.deepspeed ?? ''}`;
    // Every launch has another one.
    const key = started === null ? text : text.replaceAll(started.port, 'PORT');
    const same = seen.get(key);
    if (same !== undefined) return { configuration: { kind: 'same', runId: same }, files: there(wanted) };
    left -= text.length;
    if (left < 0) {
      const files = there([runFiles.log, runFiles.deepspeedConfig, runFiles.script]);
      return { configuration: { kind: 'linked' }, files };
    }
    seen.set(key, runId);
    return { configuration, files: there(wanted) };
  };
}

function shown(text: string): string {
  const plain = plainText(text.slice(0, maxTextChars)).trim();
  return text.length <= maxTextChars ? plain : `${plain}\u2026 (cut, ${text.length} characters in all)`;
}

/** The words that a shell is given, and the rendezvous port among them. */
function startOf(plan: string): { readonly command: readonly string[]; readonly port: string } | null {
  const value = parsed(plan) as { readonly command?: unknown; readonly port?: unknown } | null | undefined;
  const command = value?.command;
  if (!Array.isArray(command) || command.length === 0) return null;
  return {
    command: command.map((word: unknown) => (typeof word === 'string' ? word : JSON.stringify(word))),
    port: typeof value?.port === 'number' ? String(value.port) : '\0',
  };
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
