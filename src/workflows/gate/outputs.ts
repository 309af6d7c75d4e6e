import { createHash, randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { withFileErrors, writeTextAtomic, writeJsonAtomic } from '../../adapters/files.ts';
import { codeQuality, logSection } from '../../core/gate/output/gitlab.ts';
import { githubAnnotations } from '../../core/gate/output/github.ts';
import { junitXml } from '../../core/gate/output/junit.ts';
import { gateMarkdown } from '../../core/gate/output/markdown.ts';
import type { GateReport } from '../../core/gate/report.ts';
import type { Context } from '../context.ts';

/** Where the answer goes beside the screen. */
export interface OutputRequest {
  readonly junit: string | null;
  readonly markdown: string | null;
  readonly github: boolean;
  /** The Code Quality report's file; null where it is not wanted. */
  readonly gitlab: string | null;
}

/**
 * Writes every file that was asked for, and the job summary where GitHub gives one a place.
 * @throws SuperOffloadError 'environment' on a full disk or a read-only folder.
 */
export async function writeOutputs(
  context: Context,
  report: GateReport,
  outputs: OutputRequest,
  baselinePath: string | null,
): Promise<void> {
  const at = (name: string): string => resolve(context.cwd, name);
  if (outputs.junit !== null) await writeTextAtomic(at(outputs.junit), junitXml(report));
  if (outputs.markdown !== null) await writeTextAtomic(at(outputs.markdown), gateMarkdown(report));
  const summary = context.env['GITHUB_STEP_SUMMARY'];
  if (outputs.github && summary !== undefined && summary !== '') {
    await withFileErrors(summary, () => appendFile(summary, `${gateMarkdown(report)}\n`));
  }
  if (outputs.gitlab !== null) {
    const place = repositoryPath(context, baselinePath, 'CI_PROJECT_DIR') ?? '.gitlab-ci.yml';
    await writeJsonAtomic(at(outputs.gitlab), codeQuality(report, place, sha256));
  }
}

/**
 * The text of the answer as a CI system's log wants it. What GitHub's runner would obey in a log (`::set-env`) is
 * switched off around the text, which may quote a training log; the annotations follow.
 */
export function loggedText(
  context: Context,
  report: GateReport,
  text: string,
  outputs: OutputRequest,
  baselinePath: string | null,
): string {
  let shown = text;
  if (outputs.gitlab !== null) {
    shown = logSection(
      'superoffload_gate',
      `superoffload gate: ${report.verdict}`,
      shown,
      Math.floor(context.now() / 1000),
    );
  }
  if (!outputs.github) return shown;
  const token = randomUUID();
  const file = repositoryPath(context, baselinePath, 'GITHUB_WORKSPACE');
  return [`::stop-commands::${token}`, shown, `::${token}::`, ...githubAnnotations(report, file)].join('\n');
}

/** A file's path below the repository that the job checked out; null where it lies elsewhere. */
function repositoryPath(context: Context, path: string | null, variable: string): string | null {
  if (path === null) return null;
  const below = relative(context.env[variable] ?? context.cwd, path);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? null : below;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
