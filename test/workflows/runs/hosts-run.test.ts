import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesOfRun, processesWith } from '../../../src/adapters/processes.ts';
import { hostsOfVariable } from '../../../src/adapters/schedulers/hostfile.ts';
import { HostsRun } from '../../../src/workflows/runs/hosts-run.ts';
import { runCase } from '../../../src/workflows/runs/run-case.ts';
import { startSshHosts, type SshHosts } from '../../clusters/ssh.ts';
import {
  finish,
  folderOf,
  isUp,
  journalOf,
  logOf,
  placeOf,
  planOf,
  ranksOf,
  start,
  until,
} from './hosts-place.ts';

const home = mkdtempSync(join(tmpdir(), "hosts run's "));
let cluster: SshHosts | string = 'not started';

beforeAll(async () => {
  cluster = await startSshHosts(3);
}, 600_000);

afterAll(() => {
  if (typeof cluster !== 'string') cluster.stop();
  rmSync(home, { recursive: true });
});

describe.concurrent('a run on hosts', { timeout: 600_000 }, () => {
  it('is started once on each, told its rank and where to meet, and ends as the first that failed', async ({
    skip,
  }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const place = placeOf(cluster, home);
    const script = 'echo "node $1 at $2 $NCCL_DEBUG $PWD"; [ $1 = 0 ] || { sleep $1; exit 1$1; }';
    const run = await start(place, planOf(script, cluster.names, home));
    expect(await finish(run)).toMatchObject({ exitCode: 11, signal: null, scheduler: null });
    // A login shell may have a word of its own.
    const lines =
      logOf(run)
        .match(/^node .*$/gm)
        ?.sort() ?? [];
    const at = / at (127\.0\.0\.11:2\d{4}) /.exec(lines[0] ?? '')?.[1];
    expect(lines).toEqual([0, 1, 2].map((node) => `node ${node} at ${at!} it's "here" ${home}`));
    expect(journalOf(run).map(({ type }) => type)).toEqual(['starting', 'started', 'exited']);
  });

  it('does not mix lines of several hosts', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const script = 'i=0; while [ $i -lt 300 ]; do printf "%s: %0999d\\n" $1 $i; i=$((i+1)); done';
    const run = await start(placeOf(cluster, home), planOf(script, cluster.names, home));
    expect(await finish(run)).toMatchObject({ exitCode: 0, oomKills: expect.anything() as number });
    const lines = logOf(run).match(/^.*0{800}.*$/gm) ?? [];
    expect(lines).toHaveLength(900);
    expect(lines.filter((line) => !/^[012]: 0{900}\d{99}$/.test(line))).toEqual([]);
  });

  it('is ended on every host by its id, whoever left its session', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const script = 'setsid sleep 300 & env -i sleep 300 & echo up; sleep 300';
    const run = await start(placeOf(cluster, home), planOf(script, cluster.names, home));
    await until(isUp(run, 3));
    await run.kill('cancelled');
    expect(await finish(run)).toMatchObject({ exitCode: 143 });
    expect(ranksOf(run)).toEqual([]);
    expect(processesWith(hostsOfVariable, run.folder.runId)).toEqual([]);
    expect(journalOf(run).map(({ type }) => type)).toEqual(['starting', 'started', 'killed', 'exited']);
  });

  it('ends on the other hosts where one was killed and they do not notice', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const { names } = cluster;
    const run = await start(
      placeOf(cluster, home),
      planOf('echo up; exec sleep 300', names.slice(0, 2), home),
    );
    await until(isUp(run, 2));
    const ofNode1 = new Set(processesWith('SUPEROFFLOAD_NODE_RANK', '1'));
    const killed = ranksOf(run).filter((pid) => ofNode1.has(pid));
    expect(killed.length).toBeGreaterThan(1);
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    // The host itself is well: nobody may say that it failed.
    expect(await finish(run)).toMatchObject({ exitCode: null, signal: 'SIGKILL', scheduler: null });
    expect(ranksOf(run)).toEqual([]);
  });

  it('is not held up by what outlived its node', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    // Its output goes where the node's went: ssh waits for it.
    const script = 'setsid sleep 300 & echo up';
    const run = await start(placeOf(cluster, home), planOf(script, cluster.names.slice(0, 2), home));
    expect(await finish(run)).toMatchObject({ exitCode: 0, signal: null });
    expect(ranksOf(run)).toEqual([]);
  });

  it('goes on when its tool is gone, and another takes it over', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const place = placeOf(cluster, home);
    const plan = planOf('echo up; sleep 3; echo down; exit $1', cluster.names.slice(0, 2), home);
    const first = await start(place, plan);
    await until(isUp(first, 2));
    first.release();
    const second = await HostsRun.attach(place.context, first.folder, plan, journalOf(first));
    expect(await finish(second!)).toMatchObject({ exitCode: 1, scheduler: null });
    expect(logOf(first).match(/down/g)).toHaveLength(2);
    const again = await HostsRun.attach(place.context, first.folder, plan, journalOf(first));
    expect(await again!.ended).toMatchObject({ exitCode: 1 });
    again!.release();
  });

  it('is found and ended on the hosts where even the connections are gone', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const place = placeOf(cluster, home);
    const plan = planOf('echo up; exec sleep 300', cluster.names.slice(0, 2), home);
    const first = await start(place, plan);
    await until(isUp(first, 2));
    for (const pid of processesWith(hostsOfVariable, first.folder.runId)) process.kill(pid, 'SIGKILL');
    await first.ended;
    first.release();
    expect(ranksOf(first).length).toBeGreaterThan(1);
    const second = await HostsRun.attach(place.context, first.folder, plan, journalOf(first));
    await second!.kill('cancelled');
    expect(await finish(second!)).toMatchObject({ exitCode: 143 });
    expect(ranksOf(first)).toEqual([]);
  });

  it('is not there to be taken over where it never began', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const place = placeOf(cluster, home);
    const plan = planOf('exit 0', cluster.names, home);
    expect(await HostsRun.attach(place.context, await folderOf(place, plan), plan, [])).toBeNull();
  });

  it('says which port stays taken, by whom it may not kill', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const place = placeOf(cluster, home);
    const server =
      'import socket,time; s=socket.create_server(("127.0.0.1", int(__import__("sys").argv[1]))); time.sleep(8)';
    const script = `[ $1 = 1 ] || { setsid env -i python3 -c '${server}' "\${2##*:}" </dev/null >/dev/null 2>&1 & sleep 3; }`;
    const run = await start(place, planOf(script, cluster.names.slice(0, 2), home));
    expect(await finish(run)).toMatchObject({ exitCode: 0 });
    const left = journalOf(run).find(({ type }) => type === 'left-behind');
    expect(left).toMatchObject({ host: 'host1', pids: [], port: expect.any(Number) as number });
    const warned = place.events.find(({ type }) => type === 'warning');
    expect(warned).toMatchObject({
      message: expect.stringMatching(/host1: port 2\d{4} is still taken$/) as string,
    });
  });

  it('a host that cannot be reached is a launch error, and the others are ended', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const place = placeOf(cluster, home);
    const run = await start(place, planOf('exec sleep 300', ['host1', cluster.nobody], home));
    const { scheduler } = await finish(run);
    expect(scheduler).toMatchObject({
      class: 'launch_error',
      reason: expect.stringMatching(/^host nobody cannot be reached: ssh: .*refused/) as string,
    });
    expect(ranksOf(run)).toEqual([]);
    const left = journalOf(run).find(({ type }) => type === 'left-behind');
    expect(left).toMatchObject({ host: 'nobody', problem: expect.stringContaining('refused') as string });
  });

  it('an interrupted one is recorded, with nothing left on any host', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const { context, events, interrupt } = placeOf(cluster, home);
    const plan = planOf('echo up; exec sleep 300', cluster.names, home);
    const running = runCase(context, plan, { index: 1, total: 1 });
    const runId = (): string =>
      events.flatMap((event) => (event.type === 'run-started' ? event.runId : []))[0] ?? '';
    await until(() => runId() !== '' && processesOfRun(runId()).length >= 3);
    interrupt.abort(new Error('interrupted'));
    await expect(running).rejects.toThrow('interrupted');
    expect(processesOfRun(runId())).toEqual([]);
    const record = readFileSync(join(home, 'runs', runId(), 'record.json'), 'utf8');
    expect(JSON.parse(record)).toMatchObject({ outcome: { class: 'interrupted' } });
  });

  it('a second signal kills it on every host at once', async ({ skip }) => {
    if (typeof cluster === 'string') return skip(cluster);
    const place = placeOf(cluster, home);
    const plan = planOf('trap "" TERM; echo up; while :; do sleep 1; done', cluster.names.slice(0, 2), home);
    const run = await start(place, plan);
    await until(isUp(run, 2));
    place.force.abort();
    await until(() => ranksOf(run).length === 0, 10_000);
    expect(await run.ended).toMatchObject({ exitCode: null });
    run.release();
  });
});
