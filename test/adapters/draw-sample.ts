/** Draws a sample in a process of its own: what another process draws must be the same. Prints JSON. */
import { createHash } from 'node:crypto';
import { drawPng, drawSvg } from '../../src/adapters/figure.ts';
import { vegaLiteSpec } from '../../src/core/figures/render/spec.ts';
import { samples } from '../core/figures/sample-oddities.ts';

const digest = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function main(names: readonly string[]): Promise<void> {
  const drawn: Record<string, unknown> = {};
  for (const name of names) {
    const svg = await drawSvg(vegaLiteSpec(samples[name]!()));
    drawn[name] = { svg: digest(svg), png: digest(await drawPng(svg)) };
  }
  process.stdout.write(JSON.stringify(drawn));
}

void main(process.argv.slice(2));
