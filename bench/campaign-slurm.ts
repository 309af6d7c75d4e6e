/**
 * A campaign of real DeepSpeed runs on CPU ranks over a real Slurm of four nodes, whose tool is killed with SIGKILL
 * three times at random moments, once with Slurm's controller: it must end with one result, one run and one job for every case. Takes about three
 * minutes on two cores; needs root (the cluster is started here and taken away again) and the installed stack.
 * Run after `npm run build`: npx tsx bench/campaign-slurm.ts [SEED]
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJournal } from '../src/core/campaign/journal.ts';
import { parseEvents } from '../src/core/results/run-event.ts';
import type { CampaignResult } from '../src/workflows/campaign/run-campaign.ts';
import { startSlurm } from '../test/clusters/slurm.ts';
import { machine, program, root } from './measure.ts';

const kills = 3;
/** Between them: a run takes 10 to 40 s here. */
const [leastMs, mostMs] = [5_000, 35_000];

type Section = Readonly<Record<string, unknown>>;

function readJson(...path: readonly string[]): Section {
  return JSON.parse(readFileSync(join(root, 'experiment', ...path), 'utf8')) as Section;
}

/** Nodes of one core and one rank, and ten cases: five modes on one node and on two. */
function writeData(cwd: string): void {
  const { site, ...cpu } = readJson('systems', 'cpu.json');
  mkdirSync(join(cwd, 'experiment', 'systems'), { recursive: true });
  const system = {
    ...cpu,
    $schema: undefined,
    chipsPerNode: 1,
    cores: 1,
    site: { ...(site as Section), scheduler: 'slurm' },
  };
  writeFileSync(join(cwd, 'experiment', 'systems', 'mini.json'), JSON.stringify(system));
  const { cpu: section, ...throughput } = readJson('throughput.json');
  const entry = { globalBatch: 4, models: ['tiny'] };
  const modes = ['zero_offload', 'zero_2', 'zero_3', 'ddp', 'zero_infinity'];
  const mini = {
    ...throughput,
    $schema: undefined,
    name: 'mini',
    cpu: { ...(section as Section), modes, byChips: { 1: entry, 2: entry }, steps: 12, sequenceLength: 64 },
  };
  writeFileSync(join(cwd, 'experiment', 'mini.json'), JSON.stringify(mini));
}

/** A generator of its own, so that a bad moment can be met again. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function check(what: string, isSo: boolean): void {
  console.log(`${isSo ? 'ok    ' : 'FAILED'} ${what}`);
  if (!isSo) process.exitCode = 1;
}

const cluster = await startSlurm();
if (typeof cluster === 'string') throw new Error(cluster);
const cwd = mkdtempSync(join(tmpdir(), 'campaign-slurm-'));
const home = join(cwd, 'home');
const seed = Number(process.argv[2] ?? Date.now() % 100_000);
const random = randomOf(seed);
try {
  mkdirSync(home);
  symlinkSync(join(root, '.superoffload', 'stacks'), join(home, 'stacks'));
  writeData(cwd);
  const own = { SUPEROFFLOAD_HOME: home, SUPEROFFLOAD_SLURM_POLL_SECONDS: '2', DS_ACCELERATOR: 'cpu' };
  const options = { cwd, env: { ...cluster.env, ...own } as NodeJS.ProcessEnv };
  const goOn = [program, 'campaign', 'run', 'mini', '--resume'];
  let argv = [program, 'campaign', 'run', 'experiment/mini.json', '--system', 'mini'];
  argv.push('--time', '10', '--slurm', 'mem=0', '--max-jobs', '2');
  console.log(`${machine()}, seed ${seed}`);
  const begunMs = Date.now();
  for (let kill = 0; kill < kills; kill += 1) {
    const tool = spawn(process.execPath, argv, { ...options, stdio: 'ignore' });
    const ms = leastMs + random() * (mostMs - leastMs);
    await sleep(ms);
    // The second time Slurm's controller goes too, and is away while the next tool begins.
    if (kill === 1) cluster.stopController();
    tool.kill('SIGKILL');
    if (kill === 1) setTimeout(cluster.startController, 5_000);
    console.log(`SIGKILL after ${(ms / 1_000).toFixed(1)} s${kill === 1 ? ', and the controller' : ''}`);
    argv = goOn;
  }
  const last = spawnSync(process.execPath, [...goOn, '--json'], { ...options, encoding: 'utf8' });
  console.log(`done after ${((Date.now() - begunMs) / 1_000).toFixed(0)} s in all`);
  check('the last tool ends with 0', last.status === 0);
  const { cells } = JSON.parse(last.stdout) as CampaignResult;
  for (const { case: subject, outcome, medianStepMs, runIds } of cells)
    console.log(
      `  ${subject.mode} on ${subject.chips}: ${outcome ?? '-'}, ${(medianStepMs ?? 0).toFixed(1)} ms a step, ${runIds.length} run`,
    );
  const journal = parseJournal(readFileSync(join(home, 'campaigns', 'mini', 'journal.ndjson'), 'utf8'));
  const runsOf = (type: string) =>
    journal.flatMap((event) => ('runId' in event && event.type === type ? [event.runId] : []));
  const results = runsOf('result');
  check('every case is ok', cells.length === 10 && cells.every(({ outcome }) => outcome === 'ok'));
  check(
    'every case has one result',
    new Set(results).size === cells.length && results.length === cells.length,
  );
  const runs = readdirSync(join(home, 'runs'));
  const submissions = runs.flatMap((runId) =>
    parseEvents(readFileSync(join(home, 'runs', runId, 'events.ndjson'), 'utf8')).filter(
      ({ type }) => type === 'submitted',
    ),
  );
  check('every result is one job of Slurm', submissions.length === cells.length);
} finally {
  cluster.stop();
  rmSync(cwd, { recursive: true, force: true });
}
