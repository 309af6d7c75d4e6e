import { setTimeout as sleep } from 'node:timers/promises';
import { startTicks } from '../../adapters/processes.ts';
import type { RunFolder } from '../../adapters/run-store.ts';
import { sendToHost, startHosts } from '../../adapters/schedulers/hostfile.ts';
import { forwardLines } from '../../core/launch/forward.ts';
import type { HostfileSchedule } from '../../core/launch/schedule.ts';
import { sweepProgram, type Sweep } from '../../core/launch/sweep.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunEvent } from '../../core/results/run-event.ts';
import type { Context, Unstamped } from '../context.ts';
import { noteEvent, thisTool } from './journal.ts';
import { firstFailure, lingering, readHostsState } from '../hosts/hosts-end.ts';
import { freeHostPort, sweepHosts, type HostSweep } from '../hosts/sweep-hosts.ts';
import { attachedClients, startedClients, type HostClients } from './hosts-clients.ts';
import { hostsEndOf } from './hosts-run-end.ts';
import type { KillReason, RunEnd, StartedRun } from './started-run.ts';

const pollMs = 500;
/** DeepSpeed's launcher takes up to 30 s to end its ranks (deepspeed/launcher/launch.py). */
const graceSeconds = 40;
/** For what outlived its node: its work is over. */
const leftoverGraceSeconds = 5;
/** Ranks that lose one of theirs say so within seconds, or never: then they are ended. */
const failureGraceMs = 10_000;
/** For ssh clients whose host was swept. */
const clientsGraceMs = 5_000;

/**
 * A run on hosts reached by ssh. `hosts.sh`, a process of its own here, holds a connection to each and writes the log;
 * so a tool that is killed cuts neither, the run goes on to its end, and another tool can take it over. What no process
 * here can do is done over new connections: ending the run on all hosts by its id, and looking for what is left.
 */
export class HostsRun implements StartedRun {
  readonly folder: RunFolder;
  readonly startedMs: number;
  readonly waitingFor = null;
  readonly ended: Promise<RunEnd>;
  readonly #context: Context;
  readonly #schedule: HostfileSchedule;
  readonly #clients: HostClients;
  readonly #gpus: number;
  #stopped = false;
  #killNoted = false;
  #isReleased = false;

  /**
   * Starts the run on all of its hosts.
   * @throws SuperOffloadError 'environment' where the first host does not answer any more.
   */
  static async start(context: Context, folder: RunFolder, plan: RunPlan): Promise<HostsRun> {
    const schedule = scheduleOf(plan);
    const [master] = schedule.hosts;
    if (master === undefined) throw new Error('a schedule without hosts');
    const masterPort = await freeHostPort(context, master);
    const { runId } = folder;
    const start = {
      runId,
      masterAddress: schedule.masterAddress,
      masterPort,
      forward: forwardLines(context.env),
    };
    const child = await startHosts(folder.path, start, context.env);
    return new HostsRun(context, folder, plan, startedClients(child, masterPort), context.now());
  }

  /**
   * Takes hold of a run that another tool started, wherever its connections are.
   * @returns null where it never began on any host.
   */
  static async attach(
    context: Context,
    folder: RunFolder,
    plan: RunPlan,
    events: readonly RunEvent[],
  ): Promise<HostsRun | null> {
    const clients = await attachedClients(context, folder, scheduleOf(plan), events);
    if (clients === null) return null;
    const started = events.find(({ type }) => type === 'started');
    const startedMs = started === undefined ? context.now() : Date.parse(started.utc);
    return new HostsRun(context, folder, plan, clients, startedMs);
  }

  private constructor(
    context: Context,
    folder: RunFolder,
    plan: RunPlan,
    clients: HostClients,
    startedMs: number,
  ) {
    this.folder = folder;
    this.startedMs = startedMs;
    this.#context = context;
    this.#schedule = scheduleOf(plan);
    this.#clients = clients;
    this.#gpus = plan.system.accelerator === 'cuda' ? this.#schedule.layout.ranksPerNode : 0;
    this.ended = this.#follow();
    context.force.addEventListener('abort', this.#forced);
  }

  readonly noteStart = (): void => {
    const { pid } = this.#clients;
    if (pid === null) return;
    this.#note({ type: 'started', pid, startTicks: startTicks(pid), ...thisTool() });
  };

  readonly kill = async (reason: KillReason): Promise<void> => {
    this.#noteKill(reason);
    await this.stop();
  };

  readonly stop = async (): Promise<void> => {
    this.#stopped = true;
    await this.#end();
  };

  async #end(): Promise<void> {
    await this.#sweep(graceSeconds);
    await Promise.race([this.#clients.gone, sleep(clientsGraceMs)]);
    // A host that does not answer holds its client for minutes.
    this.#clients.signal('SIGTERM');
  }

  /** Whatever outlived its node is ended on every host; what cannot be, or a port that stays taken, is written down. */
  readonly leaveNothing = async (): Promise<void> => {
    for (const { host, result } of await this.#sweep(leftoverGraceSeconds)) {
      if ('problem' in result) this.#noteLeft({ host, pids: [], problem: result.problem });
      else this.#noteFound(host, result);
    }
    const { exitCode, signal } = await this.ended;
    this.#note({ type: 'exited', exitCode, signal });
  };

  readonly release = (): void => {
    this.#isReleased = true;
    this.#context.force.removeEventListener('abort', this.#forced);
  };

  /**
   * Ends when its connections have. Ends the others where one host failed and they do not notice; and on a host whose
   * node has ended, whatever outlived it and holds the connection open.
   */
  async #follow(): Promise<RunEnd> {
    const { hosts, layout } = this.#schedule;
    let sinceMs: number | null = null;
    let isEnding = false;
    while (!this.#isReleased && (await this.#clients.alive())) {
      await Promise.race([this.#clients.gone, sleep(pollMs)]);
      const state = readHostsState(this.folder.path, layout.nodes);
      const hasFailed = firstFailure(state) !== null;
      const idle = lingering(state);
      sinceMs = hasFailed || idle.length > 0 ? (sinceMs ?? this.#context.now()) : null;
      const isDue = sinceMs !== null && this.#context.now() - sinceMs >= failureGraceMs;
      if (!isDue || this.#stopped || isEnding) continue;
      if (hasFailed) {
        isEnding = true;
        await this.#endOthers();
      } else {
        const idleHosts = hosts.filter((_, node) => idle.includes(node));
        await this.#sweep(leftoverGraceSeconds, idleHosts);
        sinceMs = null;
      }
    }
    return hostsEndOf(this.#context, this.folder, hosts, { stopped: this.#stopped, clients: this.#clients });
  }

  async #endOthers(): Promise<void> {
    const { runId } = this.folder;
    this.#context.emit({ type: 'note', message: `a host of run ${runId} has failed; the others are ended` });
    await this.#end();
  }

  readonly #forced = (): void => {
    const request = { runId: this.folder.runId, graceSeconds: 0, port: null, gpus: 0 };
    for (const { name } of this.#schedule.hosts) sendToHost(name, sweepProgram(request), this.#context.env);
    this.#stopped = true;
    this.#clients.signal('SIGKILL');
    this.#noteKill('interrupted');
  };

  async #sweep(grace: number, hosts = this.#schedule.hosts): Promise<HostSweep[]> {
    return sweepHosts(this.#context, hosts, {
      runId: this.folder.runId,
      graceSeconds: grace,
      port: this.#clients.port,
      gpus: this.#gpus,
    });
  }

  #noteFound(host: string, { pids, portTaken, gpuPids }: Sweep): void {
    if (pids.length === 0 && !portTaken && gpuPids.length === 0) return;
    const { port } = this.#clients;
    const taken = portTaken && port !== null ? { port } : {};
    this.#noteLeft({ host, pids, ...taken, ...(gpuPids.length === 0 ? {} : { gpuPids }) });
  }

  #noteLeft(left: Omit<Extract<RunEvent, { type: 'left-behind' }>, 'type' | 'utc'> & { host: string }): void {
    this.#note({ type: 'left-behind', ...left });
    const what = [
      ...(left.pids.length === 0 ? [] : [`processes ${left.pids.join(', ')} could not be killed`]),
      ...(left.port === undefined ? [] : [`port ${left.port} is still taken`]),
      ...(left.gpuPids === undefined ? [] : [`its GPUs are in use by processes ${left.gpuPids.join(', ')}`]),
      ...(left.problem === undefined ? [] : [`nobody could look for what is left: ${left.problem}`]),
    ];
    this.#context.emit({
      type: 'warning',
      message: `run ${this.folder.runId}, host ${left.host}: ${what.join('; ')}`,
      hint: 'Its GPUs may stay taken until that is gone.',
    });
  }

  #noteKill(reason: KillReason): void {
    if (this.#killNoted) return;
    this.#killNoted = true;
    this.#note({ type: 'killed', reason });
  }

  #note(event: Unstamped<RunEvent>): void {
    noteEvent(this.#context, this.folder, event);
  }
}

function scheduleOf({ schedule }: RunPlan): HostfileSchedule {
  if (schedule?.scheduler !== 'hostfile') throw new Error('not a run on hosts');
  return schedule;
}
