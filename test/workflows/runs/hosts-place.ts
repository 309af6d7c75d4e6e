import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { thisPlace } from '../../../src/adapters/place.ts';
import { processesWith, startTicks } from '../../../src/adapters/processes.ts';
import { appendEvent, createRunFolder, writePlan, type RunFolder } from '../../../src/adapters/run-store.ts';
import { readJournal } from '../../../src/adapters/stored-runs.ts';
import { quoteWord } from '../../../src/core/launch/quote.ts';
import { planCommand } from '../../../src/core/plan/plan-command.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import type { RunEvent } from '../../../src/core/results/run-event.ts';
import type { Context } from '../../../src/workflows/context.ts';
import type { ProgressEvent } from '../../../src/workflows/events.ts';
import { HostsRun } from '../../../src/workflows/runs/hosts-run.ts';
import type { RunEnd } from '../../../src/workflows/runs/started-run.ts';
import type { SshHosts } from '../../clusters/ssh.ts';
import { sampleSystem } from '../../core/sample-plan.ts';

/** A tool that starts runs on hosts, and what it told. */
export interface Place {
  readonly context: Context;
  readonly events: ProgressEvent[];
  readonly interrupt: AbortController;
  readonly force: AbortController;
}

export function placeOf({ command }: SshHosts, home: string): Place {
  const events: ProgressEvent[] = [];
  const [interrupt, force] = [new AbortController(), new AbortController()];
  const context: Context = {
    env: { ...process.env, SUPEROFFLOAD_SSH: command, NCCL_DEBUG: `it's "here"` },
    ...{ cwd: home, home, packageRoot: join(import.meta.dirname, '..', '..', '..'), now: Date.now },
    emit: (event) => events.push(event),
    ...{ signal: interrupt.signal, force: force.signal },
  };
  return { context, events, interrupt, force };
}

/**
 * The same hosts behind a switch.
 * @returns what lets some of them answer no more, or again
 */
export function switched(
  cluster: SshHosts,
  folder: string,
): { hosts: SshHosts; off: (...names: string[]) => void } {
  const [script, list] = [join(folder, 'switched-ssh'), join(folder, 'silent-hosts')];
  const refuse = `grep -qx -e "$word" ${quoteWord(list)} && { echo 'ssh: no route to host' >&2; exit 255; }`;
  writeFileSync(script, `for word; do ${refuse}; done\nexec ${cluster.command} "$@"\n`);
  const off = (...names: string[]): void => {
    writeFileSync(list, names.map((name) => `${name}\n`).join(''));
  };
  off();
  return { hosts: { ...cluster, command: `/bin/sh ${quoteWord(script)}` }, off };
}

/** A script that every host runs, told its node's rank and where to meet. */
export function planOf(script: string, names: readonly string[], home: string): RunPlan {
  const hosts = names.map((name) => ({ name, slots: 1 }));
  const layout = { nodes: hosts.length, ranksPerNode: 1 };
  const command = ['/bin/sh', '-c', script, 'sh', '@NODE_RANK@', '@MASTER_ADDRESS@:@MASTER_PORT@'];
  const system = sampleSystem({ accelerator: 'cpu' });
  return {
    ...planCommand({ command, system, chips: hosts.length, cwd: home, limits: {} }),
    schedule: { scheduler: 'hostfile', layout, hosts, masterAddress: '127.0.0.11' },
  };
}

export async function folderOf({ context }: Place, plan: RunPlan): Promise<RunFolder> {
  const folder = await createRunFolder(context.home, plan.caseId, Date.now());
  const tool = { toolPid: process.pid, toolStartTicks: startTicks(process.pid), place: thisPlace() };
  appendEvent(folder, { type: 'starting', utc: new Date().toISOString(), ...tool });
  await writePlan(folder, plan, {});
  return folder;
}

export async function start(place: Place, plan: RunPlan): Promise<HostsRun> {
  const run = await HostsRun.start(place.context, await folderOf(place, plan), plan);
  run.noteStart();
  return run;
}

export async function finish(run: HostsRun): Promise<RunEnd> {
  const end = await run.ended;
  await run.leaveNothing();
  run.release();
  return end;
}

export function logOf({ folder }: HostsRun): string {
  const path = join(folder.path, 'output.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

export function journalOf({ folder }: HostsRun): readonly RunEvent[] {
  return readJournal(join(folder.path, '..', '..'), folder.runId).events;
}

/** Processes of the run on all hosts: they are one machine. */
export function ranksOf({ folder }: HostsRun): number[] {
  return processesWith('SUPEROFFLOAD_RUN_ID', folder.runId);
}

export async function until(isTrue: () => boolean, withinMs = 40_000): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (!isTrue()) {
    if (Date.now() > endMs) throw new Error('it did not come to be');
    await sleep(50);
  }
}

/** Whether every node has said that it is up. */
export function isUp(run: HostsRun, nodes: number): () => boolean {
  return () => logOf(run).split('up\n').length > nodes;
}
