import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { capture } from '../../../src/adapters/exec.ts';
import { figureNumbers } from '../../../src/core/figures/figure-data.ts';
import { SuperOffloadError } from '../../../src/errors.ts';
import { importRuns } from '../../../src/workflows/archive/import-runs.ts';
import { readArchiveRecords } from '../../../src/workflows/archive/read-archive.ts';
import { runContents } from '../../../src/workflows/archive/run-contents.ts';
import { buildFigures } from '../../../src/workflows/figure/build-figures.ts';
import { archivePlace, storeWhole } from './sample-runs.ts';

const place = archivePlace();
const { sample, context } = place;
const { home } = sample;
const never = new AbortController().signal;

describe('an archive holds no secret', () => {
  const token = `hf_${'Zq9'.repeat(10)}`;
  const password = "pa'ss wörd";

  it('of the command, the variables, the environment, the scripts and the log, and says where', async () => {
    const plan = samplePlanWithSecrets(token, password);
    const { runId } = await storeWhole(sample, { plan, env: { HF_TOKEN: token, HOME: '/home/me' } });
    const folder = join(home, 'runs', runId);
    // Unnamed in the log: known by its value alone.
    writeFileSync(
      join(folder, 'output.log'),
      `login with ${password} worked\nlatin1 \u00ff kept\nBearer ${token}\n`,
      'latin1',
    );
    const { archive, report } = await place.exported();
    const bytes = gunzipSync(readFileSync(archive)).toString('utf8');
    expect(bytes).not.toContain(token);
    expect(bytes).not.toContain(password);
    expect(bytes).not.toContain('ss wörd');
    expect(bytes).not.toContain('Zq9Zq9');
    expect(report.runs[0]?.redacted).toEqual(['env.json', 'output.log', 'plan.json', 'run.sh']);
    const { into, hiddenSecrets } = await place.imported(archive);
    expect(hiddenSecrets).toBe(report.runs[0]?.hiddenSecrets);
    expect(hiddenSecrets).toBeGreaterThan(3);
    const log = readFileSync(join(into, runId, 'output.log'), 'latin1');
    expect(log).toContain('latin1 \u00ff kept\n');
    expect(readFileSync(join(into, runId, 'run.sh'), 'utf8')).toContain("--steps 30 --password '[redacted]'");
    // Where it came from it is the same run.
    expect((await place.imported(archive, null)).skipped).toEqual([runId]);
  });

  it('of a config, of the environment of who exports, in other spellings, and beside files that are damaged', async () => {
    const { runId } = await storeWhole(sample, {
      plan: { env: { DB_PASSWORD: `two "words"\nand/lines` } },
    });
    const other = await storeWhole(sample);
    const folder = join(home, 'runs', runId);
    writeFileSync(join(folder, 'ds_config.json'), '{"comet": {"api_key": "comet-hunter2"}}');
    writeFileSync(join(folder, 'job.sbatch'), 'sshpass -p ssh-hunter2 ssh node1\n');
    writeFileSync(
      join(folder, 'output.log'),
      `wandb 0123456789abcdef0123\n{"db": "two \\"words\\"\\nand/lines"}\nq?pw=two%20%22words%22%0Aand%2Flines\nand/lines\n`,
    );
    // Of somebody else's: what is no text must not end the export, nor uncover the rest.
    const damaged = join(home, 'runs', other.runId);
    writeFileSync(
      join(damaged, 'env.json'),
      '{"environment": {"A": 1, "__proto__": "x", "HF_TOKEN": "env-hunter2"}}',
    );
    writeFileSync(join(damaged, 'plan.json'), '{"command": ["python", 3], "unset": [], "env": {"A": {}}}');
    const env = { ...process.env, WANDB_API_KEY: '0123456789abcdef0123' };
    const { archive } = await place.exported('a.tar.gz', {}, { ...context, env });
    const bytes = gunzipSync(readFileSync(archive)).toString('utf8');
    for (const secret of ['hunter2', '0123456789abcdef0123', 'words', 'and/lines', 'and%2Flines'])
      expect(bytes).not.toContain(secret);
    expect(bytes).toContain('"A": 1');
  });

  function samplePlanWithSecrets(first: string, second: string) {
    return {
      command: [
        'python',
        'train.py',
        '--steps',
        '30',
        '--password',
        second,
        `--url=https://me:${first}@host/x`,
      ],
      env: { HF_TOKEN: first, OMP_NUM_THREADS: '1' },
    };
  }
});

describe('the records of an archive', () => {
  it('are read without unpacking, and draw the same figures', async () => {
    const records = [];
    for (const stepMs of [1000, 1010, 990]) {
      records.push(await storeWhole(sample, { stepMs: Array.from({ length: 30 }, () => stepMs) }));
    }
    const { archive, report } = await place.exported('a.tar.gz', { figures: true });
    expect(report.figures.length).toBeGreaterThan(0);
    const read = await readArchiveRecords(context, archive);
    expect(read.map(({ value }) => value)).toEqual(records);
    expect(read[0]?.place).toBe(`${archive}/runs/${records[0]?.runId ?? ''}/record.json`);
    const drawn = async (from: readonly string[]): Promise<string[]> => {
      const { figures } = await buildFigures(context, {
        figures: figureNumbers,
        from,
        paper: true,
        predicted: true,
      });
      return figures.map((figure) => JSON.stringify(figure));
    };
    const fromRuns = await drawn([]);
    expect(await drawn([archive])).toEqual(fromRuns);
    const packed = await capture(['tar', 'xzOf', archive, `figures/${report.figures[0] ?? ''}`], {
      env: process.env,
    });
    expect(fromRuns).toContain(JSON.stringify(JSON.parse(packed.stdout)));
  });
});

describe('what goes wrong', () => {
  it('leaves nothing behind: a signal, a name that says nothing, a file that is there', async () => {
    const { runId } = await storeWhole(sample);
    writeFileSync(join(home, 'runs', runId, 'output.log'), 'a line of the log\n'.repeat(500_000));
    const { archive } = await place.exported();
    for (const atEvent of [1, 2, 3]) {
      const stop = new AbortController();
      let seen = 0;
      const ctx = {
        ...context,
        signal: stop.signal,
        emit: () => {
          seen += 1;
          if (seen > atEvent) stop.abort(new SuperOffloadError({ code: 'interrupted', message: 'stopped' }));
        },
      };
      await expect(place.exported('b.tar.gz', {}, ctx)).rejects.toThrow('stopped');
      const into = join(place.out(), 'stopped');
      await expect(importRuns(ctx, { archive, into, maxGiB: null, dryRun: false })).rejects.toThrow(
        'stopped',
      );
      expect(readdirSync(place.out())).toEqual(existsSync(into) ? ['a.tar.gz', 'stopped'] : ['a.tar.gz']);
      expect(existsSync(into) ? readdirSync(into) : []).toEqual([]);
    }
    await expect(place.exported('a.zip')).rejects.toThrow(/its name does not say how/);
    await expect(place.exported('a.tar.gz')).rejects.toThrow(/there is a file of that name/);
    const before = readFileSync(archive);
    await place.exported('a.tar.gz', { force: true });
    expect(readFileSync(archive).equals(before)).toBe(true);
    await expect(place.exported('c.tar.gz', { sources: ['ffff'] })).rejects.toThrow();
  });

  it('says what to do without zstd', async () => {
    await storeWhole(sample);
    const ctx = { ...context, env: { PATH: place.out() } };
    const result = await place.exported('a.tar.zst', {}, ctx).catch((e: unknown) => e as SuperOffloadError);
    // Node 22.15 and later have their own.
    if ('createZstdCompress' in (await import('node:zlib'))) expect(result).toHaveProperty('report');
    else
      expect(result).toMatchObject({
        code: 'environment',
        hint: expect.stringContaining('.tar.gz') as string,
      });
  });

  it('never holds more than a few pieces of a log in memory', async () => {
    const { runId } = await storeWhole(sample);
    const folder = join(home, 'runs', runId);
    writeFileSync(join(folder, 'output.log'), `${'x'.repeat(5_000_000)}${'a line\n'.repeat(1_000_000)}`);
    const { files } = await runContents(folder, { logs: true, signal: never, env: {} });
    const log = files.find(({ file }) => file === 'output.log');
    let [largest, total] = [0, 0];
    for await (const chunk of log?.content() ?? []) {
      largest = Math.max(largest, chunk.length);
      total += chunk.length;
    }
    expect(total).toBe(12_000_000);
    expect(largest).toBeLessThan(2 * 1024 ** 2);
  });
});
