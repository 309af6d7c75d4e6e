import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thisPlace } from '../../../src/adapters/place.ts';
import { processesWith } from '../../../src/adapters/processes.ts';
import { appendEvent, createRunFolder, listRunIds, writePlan } from '../../../src/adapters/run-store.ts';
import { hostsOfVariable } from '../../../src/adapters/schedulers/hostfile.ts';
import { mayRunOnSchedule, readEvents } from '../../../src/adapters/stored-runs.ts';
import { HostsRun } from '../../../src/workflows/runs/hosts-run.ts';
import { runCase } from '../../../src/workflows/runs/run-case.ts';
import { runsToRemove } from '../../../src/workflows/runs/runs.ts';
import { startSshHosts, type SshHosts } from '../../clusters/ssh.ts';
import { finish, isUp, journalOf, placeOf, planOf, ranksOf, start, switched, until } from './hosts-place.ts';

const home = mkdtempSync(join(tmpdir(), "hosts lost's "));
let cluster: SshHosts | string = 'not started';

beforeAll(async () => {
  cluster = await startSshHosts(2);
}, 600_000);

afterAll(() => {
  if (typeof cluster !== 'string') cluster.stop();
  rmSync(home, { recursive: true });
});

describe.concurrent('a run on hosts that are lost', { timeout: 600_000 }, () => {
  it('is not over because hosts do not answer for a while', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const { hosts, off } = switched(cluster, mkdtempSync(join(home, 'switch ')));
    const place = placeOf(hosts, home);
    const plan = planOf('echo up; exec sleep 300', hosts.names.slice(0, 2), home);
    const first = await start(place, plan);
    await until(isUp(first, 2));
    for (const pid of processesWith(hostsOfVariable, first.folder.runId)) process.kill(pid, 'SIGKILL');
    await first.ended;
    first.release();
    off('host1', 'host2');
    const second = await HostsRun.attach(place.context, first.folder, plan, journalOf(first));
    const isOver = await Promise.race([second!.ended.then(() => true), sleep(2_000).then(() => false)]);
    expect(isOver).toBe(false);
    expect(ranksOf(first)).not.toEqual([]);
    off();
    await second!.kill('cancelled');
    expect(await finish(second!)).toMatchObject({ exitCode: 143 });
    expect(ranksOf(first)).toEqual([]);
  });

  it('failed because a host is gone, whatever its ranks on the others said first', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const { hosts, off } = switched(cluster, mkdtempSync(join(home, 'switch ')));
    const script = '[ $1 = 1 ] || exit 1; echo up; exec sleep 300';
    const run = await start(placeOf(hosts, home), planOf(script, hosts.names.slice(0, 2), home));
    const ends = join(run.folder.path, 'hosts.ndjson');
    await until(() => isUp(run, 1)() && existsSync(ends) && readFileSync(ends, 'utf8').includes('"node":0'));
    off('host2');
    const ofNode1 = new Set(processesWith('SUPEROFFLOAD_NODE_RANK', '1'));
    for (const pid of ranksOf(run).filter((each) => ofNode1.has(each))) process.kill(pid, 'SIGKILL');
    expect(await finish(run)).toMatchObject({
      exitCode: 1,
      scheduler: { class: 'node_fail', reason: expect.stringContaining('host host2') as string },
    });
  });

  it('leaves no folder where nothing could be started, or a signal came before', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const ownHome = mkdtempSync(join(home, 'home '));
    const { hosts, off } = switched(cluster, ownHome);
    const { context, interrupt } = placeOf(hosts, ownHome);
    const plan = planOf('true', hosts.names.slice(0, 2), ownHome);
    off('host1');
    await expect(runCase(context, plan, { index: 1, total: 1 })).rejects.toThrow('no route to host');
    expect(await listRunIds(ownHome)).toEqual([]);
    const running = runCase(context, plan, { index: 1, total: 1 }, () => {
      interrupt.abort(new Error('interrupted'));
      return Promise.resolve();
    });
    await expect(running).rejects.toThrow('interrupted');
    expect(await listRunIds(ownHome)).toEqual([]);
  });

  it('is no folder to remove while it may be at work, and is one after', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const ownHome = mkdtempSync(join(home, 'home '));
    const { context } = placeOf(cluster, ownHome);
    const plan = planOf('echo up; sleep 2; echo down', cluster.names.slice(0, 2), ownHome);
    const { runId, path } = await createRunFolder(ownHome, plan.caseId, Date.now());
    await writePlan({ runId, path }, plan, {});
    // By a tool of another machine: nothing here shows that the run is alive.
    const place = { ...thisPlace(), boot: 'another', machine: null };
    const utc = new Date().toISOString();
    const tool = { toolPid: 1, toolStartTicks: '1' };
    appendEvent({ runId, path }, { type: 'starting', utc, ...tool, place });
    appendEvent({ runId, path }, { type: 'started', utc, pid: 1, startTicks: '1', ...tool });
    expect(mayRunOnSchedule(path, readEvents(path))).toBe(true);
    appendEvent({ runId, path }, { type: 'attached', utc, ...tool, place: thisPlace() });
    await expect(runsToRemove(context, [runId])).rejects.toThrow('may be at work on its hosts');
    appendEvent({ runId, path }, { type: 'exited', utc, exitCode: 0, signal: null });
    expect(await runsToRemove(context, [runId])).toEqual([runId]);
  });
});
