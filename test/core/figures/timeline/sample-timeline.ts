import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { JsonObject } from '../../../../src/core/deepspeed/modes/mode.ts';
import { figureSystems } from '../../../../src/core/figures/figure-system.ts';
import { readTimeline, type Timeline } from '../../../../src/core/figures/timeline/timeline-file.ts';
import { tracedFolder, tracedRun, type TracedRun } from '../../../../src/core/figures/timeline/traced-run.ts';
import { createFold } from '../../../../src/core/logs/fold.ts';
import { migrateRecord } from '../../../../src/core/results/migrate.ts';

/** A file in which nothing happens. */
export function bareTimeline() {
  const nothing: readonly unknown[] = [];
  return {
    ...{ schemaVersion: 1, iteration: 8, stepMs: 100 },
    ...{ phases: nothing, compute: nothing, copies: nothing, adam: nothing, waits: nothing },
  };
}

/** Runs of bench/measured that have a timeline; those named Notes say what the host does and who waits for what. */
export const measured = {
  published: 'direct/published',
  zeroOffload: 'runs/20261123T110139Z-zero-offload-2b-1chip-s1024-b8x1-bf16-d2d0f846-3b0b',
  overlap: 'runs/20261123T110224Z-prism-2b-1chip-s1024-b8x1-bf16-793f73b0-c34b',
  publishedNotes: 'runs/20261123T231642Z-prism-2b-1chip-s1024-b8x1-bf16-feb1ee87-0551',
  zeroOffloadNotes: 'runs/20261123T231604Z-zero-offload-2b-1chip-s1024-b8x1-bf16-60a3ff18-dcaf',
  overlapNotes: 'runs/20261123T231745Z-prism-overlap-2b-1chip-s1024-b8x1-bf16-e1aef265-1cef',
  overlap5B: 'runs/20261123T110337Z-prism-5b-1chip-s1024-b8x1-bf16-a43e154e-da55',
  overlap15B: 'runs/20261123T110439Z-prism-15b-1chip-s1024-b1x1-bf16-ac-09767050-7480',
} as const;

/** The archive of H200 runs, unpacked for the tests of one file. */
export function measuredRuns(): {
  readonly folder: () => string;
  readonly run: (name: keyof typeof measured) => TracedRun;
  readonly json: (path: string) => unknown;
} {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'timelines-'));
    for (const name of ['overlap-runs', 'overlap-direct', 'timelines-2b']) {
      const archive = join(import.meta.dirname, `../../../../bench/measured/${name}.tar.gz`);
      execFileSync('tar', ['xzf', archive, '-C', folder]);
    }
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const json = (path: string): unknown => JSON.parse(readFileSync(join(folder, path), 'utf8'));
  return {
    folder: () => folder,
    json,
    run: (name) => {
      const path = measured[name];
      const timeline = read(json(`${path}/timeline.json`));
      if (name === 'published') return handStarted(path, readFileSync(join(folder, path, 'log'), 'utf8'), json(`${path}/ds_config.json`), timeline); // prettier-ignore
      const migrated = migrateRecord(json(`${path}/record.json`));
      if (!migrated.ok) throw new Error(migrated.problem);
      const [machine] = figureSystems([migrated.record]);
      return tracedRun(migrated.record, timeline, machine!)!;
    },
  };
}

function read(value: unknown): Timeline {
  const found = readTimeline(value);
  if (!found.ok) throw new Error(found.problem);
  return found.timeline;
}

function handStarted(name: string, text: string, config: unknown, timeline: Timeline): TracedRun {
  const fold = createFold();
  for (const line of text.split('\n')) fold.push(line);
  const run = tracedFolder({ name, log: fold.state, config: config as JsonObject }, timeline);
  if (typeof run === 'string') throw new Error(run);
  return run;
}
