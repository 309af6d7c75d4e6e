import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { CommandIo } from '../../src/cli/commands/module.ts';
import { declare } from '../../src/cli/commands/parse.ts';
import type { Context } from '../../src/workflows/context.ts';
import type { ProgressEvent } from '../../src/workflows/events.ts';
import { Command } from '@commander-js/extra-typings';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/logs/${name}.log`, import.meta.url));
const ok = fixture('megatron-f2c70ad-zero_offload-ok');

async function parse(...argv: string[]): Promise<{ text: string; events: ProgressEvent[] }> {
  const printed: string[] = [];
  const events: ProgressEvent[] = [];
  const context = {
    emit: (event: ProgressEvent) => void events.push(event),
    signal: new AbortController().signal,
  } as unknown as Context;
  const io: CommandIo = { context, print: (text) => void printed.push(text), exitWith: () => undefined };
  const command = new Command('parse').exitOverride();
  declare(command, io);
  await command.parseAsync(argv, { from: 'user' });
  return { text: printed.join('\n'), events };
}

async function file(content: string | Uint8Array): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'superoffload-parse-')), 'a log.txt');
  await writeFile(path, content);
  return path;
}

describe('output', () => {
  it('is a table with the proof below', async () => {
    const { text } = await parse(ok, fixture('megatron-f2c70ad-zero_offload-gpu_oom-torchscript'));
    expect(text).toContain('TFLOPS (as logged, hardware FLOPs)');
    expect(text).toContain('interval (within one run)');
    expect(text).toMatch(/1\.46 +/);
    expect(text).toContain('gpu_oom (rank 0)');
  });
  it('--json holds everything', async () => {
    const [log] = JSON.parse((await parse(ok, '--json')).text) as Record<string, unknown>[];
    expect(log).toMatchObject({
      schemaVersion: 1,
      iterationCount: 10,
      steps: { medianMs: 1460.3, warmUpSteps: 1 },
      outcome: { class: 'ok' },
      globalBatch: 8,
      sequenceLength: 1024,
    });
  });
  it('--csv has a row a log and units in its header', async () => {
    const lines = (await parse(ok, ok, '--csv')).text.trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain('medianStepMs');
    expect(new Set(lines.map((line) => line.replace(/"[^"]*"/g, '').split(',').length)).size).toBe(1);
  });
  it('--steps has every field of every iteration', async () => {
    const rows = (await parse(ok, '--steps')).text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(rows).toHaveLength(10);
    expect(rows[4]).toEqual({
      file: ok,
      iteration: 5,
      plannedIterations: 100,
      consumedSamples: 40,
      consumedTokens: 40960,
      stepMs: 1445.9,
      learningRate: 4.975e-5,
      globalBatchSize: 8,
      lmLoss: 6.273165,
      lossScale: 4096,
      sequenceLength: 1024,
      skippedIterations: 0,
      nanIterations: 0,
      samplesPerSecond: 5.533,
      tokensPerGpuPerSecond: 5665.771,
      loggedTflopsPerGpu: 103.54,
    });
    const csv = (await parse(ok, '--steps', '--csv')).text.trim().split('\n');
    expect(csv).toHaveLength(11);
    expect(csv[0]).toContain('file,iteration,plannedIterations');
  });
});

describe('bad input', () => {
  it('names all bad files at once, with exit 2', async () => {
    const empty = await file('');
    const binary = await file(new Uint8Array([1, 2, 0, 3]));
    const zipped = await file(new Uint8Array([0x1f, 0x8b, 8, 1]));
    await expect(parse('no such file', empty, binary, zipped, tmpdir())).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(
        /does not exist[^]*is empty[^]*is binary[^]*gzip[^]*is a folder/,
      ) as string,
    });
  });
  it('of --json with --csv is refused', async () => {
    await expect(parse(ok, '--json', '--csv')).rejects.toMatchObject({ code: 'usage' });
  });
  it('without iteration lines is a warning, not a failure', async () => {
    const { text, events } = await parse(await file('hello\nworld\n'));
    expect(events).toMatchObject([
      { type: 'warning', message: expect.stringContaining('no iteration line in 2 line(s)') as string },
    ]);
    expect(text).toContain('incomplete');
  });
  it('that was cut in a line says so and keeps what is whole', async () => {
    const { readFileSync } = await import('node:fs');
    const text = readFileSync(ok, 'utf8');
    const { events, text: table } = await parse(await file(text.slice(0, text.indexOf('258537E+00'))));
    expect(events.map((event) => (event.type === 'warning' ? event.message : ''))).toMatchObject([
      expect.stringContaining('ends in the middle of a line'),
      expect.stringContaining('1 iteration line(s) are cut'),
    ]);
    expect(table).toContain('incomplete');
  });
  it('of many interleaved ranks counts each step once and says so', async () => {
    const { readFileSync } = await import('node:fs');
    const lines = readFileSync(ok, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(' iteration'));
    const mixed = lines.flatMap((line) =>
      Array.from({ length: 64 }, (_, rank) => `[default${rank}]:${line}`),
    );
    const { text, events } = await parse(await file(`${mixed.join('\n')}\n`), '--json');
    expect(JSON.parse(text)).toMatchObject([{ iterationCount: 10, otherRankIterations: 630, rankCount: 64 }]);
    expect(events).toMatchObject([{ message: expect.stringContaining('other ranks') as string }]);
  });
});
