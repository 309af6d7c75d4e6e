/**
 * How quickly `superoffload parse` reads a log of 1 GB, against a bare Node loop that only splits it into lines,
 * in the same run on the same file. Run after `npm run build`: npx tsx bench/parse.ts [GB]
 *
 * The log is the real one of test/fixtures, repeated whole (start-up noise and steps in their real proportion) with
 * the iteration numbers counting on.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = process.env['SUPEROFFLOAD_MAIN'] ?? join(root, 'dist/main.js');
const targetBytes = Number(process.argv[2] ?? 1) * 1e9;
const repeats = 3;

const bareLoop = `
import { createReadStream } from 'node:fs';
let lines = 0;
let carry = '';
for await (const piece of createReadStream(process.argv[2], { highWaterMark: 1 << 20, encoding: 'latin1' })) {
  const parts = (carry + piece).split('\\n');
  carry = parts.pop();
  for (const line of parts) if (line.length > 0) lines += 1;
}
console.log(lines);
`;

/** Prints the peak resident set of its process on stderr, KiB, whatever the program did. */
const reportPeak = `process.on('exit', () => process.stderr.write('PEAK ' + process.resourceUsage().maxRSS + '\\n'));`;

function writeLog(path: string): number {
  const lines = readFileSync(
    join(root, 'test/fixtures/logs/megatron-f2c70ad-zero_offload-ok.log'),
    'latin1',
  ).split('\n');
  const body = lines.slice(
    0,
    lines.findIndex((line) => line.startsWith('[exiting program')),
  );
  const file = openSync(path, 'w');
  let bytes = 0;
  let iteration = 0;
  while (bytes < targetBytes) {
    const text = body
      .map((line) =>
        line.replace(
          /^ iteration +\d+\/ +\d+/,
          () => ` iteration ${String((iteration += 1)).padStart(8)}/ 9999999`,
        ),
      )
      .join('\n');
    bytes += writeSync(file, `${text}\n`, null, 'latin1');
  }
  closeSync(file);
  return bytes;
}

interface Measured {
  readonly seconds: number;
  readonly peakMB: number;
}

function measure(hook: string, argv: readonly string[]): Measured {
  let best: Measured = { seconds: Number.POSITIVE_INFINITY, peakMB: 0 };
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const start = process.hrtime.bigint();
    const result = spawnSync(process.execPath, ['--import', hook, ...argv], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (result.status !== 0) throw new Error(`${argv.join(' ')}: exit ${result.status}\n${result.stderr}`);
    const peakMB = (Number(/PEAK (\d+)/.exec(result.stderr)?.[1]) * 1024) / 1e6;
    best = { seconds: Math.min(best.seconds, seconds), peakMB: Math.max(best.peakMB, peakMB) };
  }
  return best;
}

const folder = mkdtempSync(join(tmpdir(), 'superoffload-bench-'));
try {
  const log = join(folder, 'big.log');
  const loop = join(folder, 'loop.mjs');
  const hook = join(folder, 'peak.mjs');
  writeFileSync(loop, bareLoop);
  writeFileSync(hook, reportPeak);
  const bytes = writeLog(log);
  const bare = measure(hook, [loop, log]);
  const parse = measure(hook, [program, 'parse', log, '--json']);
  const rate = ({ seconds }: Measured): number => bytes / 1e6 / seconds;
  const rows = { bytes, node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, repeats };
  console.log(
    JSON.stringify(
      {
        ...rows,
        bareLoop: { ...bare, megabytesPerSecond: Math.round(rate(bare)) },
        parse: { ...parse, megabytesPerSecond: Math.round(rate(parse)) },
        speedAgainstBareLoop: Number((rate(parse) / rate(bare)).toFixed(2)),
      },
      null,
      2,
    ),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
