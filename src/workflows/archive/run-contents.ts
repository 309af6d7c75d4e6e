import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileErrors } from '../../adapters/files.ts';
import { isArchivedFile, isLog } from '../../core/archive/archive-path.ts';
import {
  hider,
  redactEnvText,
  secretsOf,
  secretsWithoutPlan,
  textRedactor,
  type RunSecrets,
} from '../../core/archive/redactor.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { secretValues } from '../../core/results/redact.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { jsonOrNull } from './archive-contents.ts';

/** A file of a run folder as it goes into an archive: without secrets. */
export interface RunFile {
  /** Relative to the run folder. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** In how many places `[redacted]` stands for a secret. */
  readonly hidden: number;
  /** Reads it anew, without secrets. */
  readonly content: () => AsyncIterable<Buffer>;
}

/** What an archive takes of a run folder. */
export interface RunContents {
  readonly files: readonly RunFile[];
  /** What stays: checkpoints, caches, links, requests to stop. Relative to the folder, a folder with its `/`. */
  readonly leftOut: readonly string[];
}

interface ContentsOptions {
  readonly logs: boolean;
  readonly signal: AbortSignal;
  /** A log may print a secret that is in the environment alone. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Scripts are small, and each is looked at as a whole: the plan makes it again without its secrets. */
const scripts = [runFiles.script, runFiles.nodeScript, runFiles.hostsScript] as const;

/**
 * Looks through a run folder: every file is read once for its size and sha256, in little memory.
 * @throws SuperOffloadError 'environment' where a file cannot be read.
 */
export async function runContents(
  folder: string,
  { logs, signal, env }: ContentsOptions,
): Promise<RunContents> {
  return withFileErrors(folder, async () => {
    const { files, leftOut } = await listFiles(folder, '');
    const taken = files.filter((file) => logs || !isLog(file));
    const secrets = await readSecrets(folder, taken, secretValues(env));
    const contents: RunFile[] = [];
    for (const file of taken) {
      signal.throwIfAborted();
      contents.push(await runFile(folder, file, secrets));
    }
    return { files: contents, leftOut: [...leftOut, ...files.filter((file) => !taken.includes(file))] };
  });
}

/** Links are never followed: what they lead to is not the run's. */
async function listFiles(folder: string, below: string): Promise<{ files: string[]; leftOut: string[] }> {
  const entries = await readdir(join(folder, below), { withFileTypes: true });
  const files: string[] = [];
  const leftOut: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      const inner = await listFiles(folder, path);
      files.push(...inner.files);
      if (inner.files.length === 0 && inner.leftOut.length > 0) leftOut.push(`${path}/`);
      else leftOut.push(...inner.leftOut);
    } else if (entry.isFile() && isArchivedFile(path)) files.push(path);
    // Once for all runs of a stack, and not as a file of the run.
    else if (path !== runFiles.lock) leftOut.push(path);
  }
  return { files, leftOut };
}

async function readSecrets(
  folder: string,
  files: readonly string[],
  known: readonly string[],
): Promise<RunSecrets> {
  if (!files.includes(runFiles.plan)) return secretsWithoutPlan(known);
  const planText = await readFile(join(folder, runFiles.plan), 'utf8');
  const plan = jsonOrNull(planText);
  if (!isPlan(plan)) return secretsWithoutPlan(known);
  const texts = new Map<string, string>();
  for (const name of scripts) {
    if (files.includes(name)) texts.set(name, await readFile(join(folder, name), 'utf8'));
  }
  return secretsOf(plan, planText, texts, known);
}

function isPlan(value: unknown): value is RunPlan {
  const { command, env, unset } = (value ?? {}) as Partial<Record<keyof RunPlan, unknown>>;
  const isText = (each: unknown): boolean => typeof each === 'string';
  if (!Array.isArray(command) || !Array.isArray(unset) || typeof env !== 'object' || env === null)
    return false;
  return command.every(isText) && Object.values(env).every(isText);
}

async function runFile(folder: string, file: string, secrets: RunSecrets): Promise<RunFile> {
  const path = join(folder, file);
  const whole = await wholeFile(path, file, secrets);
  let hidden = whole?.hidden ?? 0;
  const content = async function* (): AsyncGenerator<Buffer> {
    if (whole !== null) {
      yield Buffer.from(whole.text);
      return;
    }
    const redactor = textRedactor(secrets.values.map(asBytes));
    // As latin1 every byte is a letter: what is no UTF-8 comes out as it went in.
    for await (const chunk of createReadStream(path, {
      highWaterMark: 256 * 1024,
    }) as AsyncIterable<Buffer>) {
      const text = redactor.push(chunk.toString('latin1'));
      if (text !== '') yield Buffer.from(text, 'latin1');
    }
    const rest = redactor.end();
    hidden = redactor.hidden();
    if (rest !== '') yield Buffer.from(rest, 'latin1');
  };
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of content()) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { file, bytes, sha256: hash.digest('hex'), hidden, content };
}

/** A secret of several bytes a letter, as {@link runFile} sees it in a log. */
function asBytes(value: string): string {
  return Buffer.from(value).toString('latin1');
}

/** Files that are no stream of lines. */
async function wholeFile(
  path: string,
  file: string,
  secrets: RunSecrets,
): Promise<{ readonly text: string; readonly hidden: number } | null> {
  const known = secrets.files.get(file);
  if (known !== undefined) return known;
  if (file !== runFiles.env) return null;
  const text = await readFile(path, 'utf8');
  const clean = redactEnvText(text, jsonOrNull(text));
  const hidden = hider(secrets.values)(clean.text);
  return { text: hidden.text, hidden: clean.hidden + hidden.hidden };
}
