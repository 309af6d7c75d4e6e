/**
 * How quickly `superoffload parse` reads a log of 1 GB, against a bare Node loop that only splits it into lines,
 * in the same run on the same file. Run after `npm run build`: npx tsx bench/parse.ts [GB]
 *
 * The log is the real one of test/fixtures, repeated whole (start-up noise and steps in their real proportion) with
 * the iteration numbers counting on.
 */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { inScratch, machine, measureInTurns, program, root } from './measure.ts';

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

inScratch((folder, hook) => {
  const log = join(folder, 'big.log');
  const loop = join(folder, 'loop.mjs');
  writeFileSync(loop, bareLoop);
  const bytes = writeLog(log);
  const node = [process.execPath, '--import', hook];
  const subjects = [
    { name: 'bare loop', command: [...node, loop, log] },
    { name: 'parse --json', command: [...node, program, 'parse', log, '--json'] },
  ];
  console.log(`${machine()}, ${(bytes / 1e9).toFixed(2)} GB, best of ${repeats}, in turns`);
  const results = measureInTurns(subjects, repeats, { cwd: folder });
  const best = new Map(subjects.map(({ name }) => [name, Math.min(...(results.get(name)?.seconds ?? []))]));
  for (const [name, seconds] of best) {
    const rate = bytes / 1e6 / seconds;
    const peak = results.get(name)?.peakMB ?? Number.NaN;
    console.log(`${name.padEnd(14)} ${seconds.toFixed(2)} s  ${rate.toFixed(0)} MB/s  ${peak.toFixed(0)} MB`);
  }
  const [bare = Number.NaN, parse = Number.NaN] = best.values();
  console.log(`speed against the bare loop: ${(bare / parse).toFixed(2)}`);
});
