import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CommandIo } from '../../src/cli/commands/module.ts';
import { runVariables, userVariables } from '../../src/cli/topics/environment.ts';
import { exitMeanings } from '../../src/cli/topics/exit-codes.ts';
import { topics, topicText } from '../../src/cli/topics/index.ts';
import { exitCodes } from '../../src/errors.ts';
import { outcomeClasses } from '../../src/core/logs/events.ts';
import { runFiles } from '../../src/core/results/run-files.ts';
import { sampleHome } from '../workflows/records/sample-home.ts';

const { context } = sampleHome();
const io: CommandIo = { context, print: () => undefined, exitWith: () => undefined };
const text = async (name: string): Promise<string> => (await topicText(name, io)) ?? '';

describe('superoffload help TOPIC', () => {
  it.each(topics.map(({ name }) => name))('%s: text that fits a terminal', async (name) => {
    const lines = (await text(name)).split('\n');
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(120);
  });

  it('tells of every outcome, every exit status, every file of a run and every field of a system', async () => {
    const outcomes = await text('outcomes');
    for (const name of outcomeClasses) expect(outcomes).toMatch(new RegExp(`^${name}$`, 'm'));
    const codes = exitMeanings().map(([code]) => Number(code));
    expect(codes).toEqual([...new Set([0, 1, ...Object.values(exitCodes)])].sort((a, b) => a - b));
    const folder = await text('run-folder');
    for (const file of Object.values(runFiles)) expect(folder).toContain(file);
    const schema = readFileSync(join(context.packageRoot, 'experiment/schema/system.json'), 'utf8');
    const fields = Object.keys((JSON.parse(schema) as { properties: object }).properties);
    const systems = await text('systems');
    for (const field of fields.filter((name) => name !== '$schema')) expect(systems).toContain(`  ${field} `);
  });

  it('tells of every variable of its own that the program reads off the environment', () => {
    const source = join(context.packageRoot, 'src');
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const read = files.flatMap((file) => {
      const code = readFileSync(join(source, file), 'utf8');
      return [...code.matchAll(/env\['(SUPEROFFLOAD_[A-Z_]+)'\]/g)].map(([, name]) => name ?? '');
    });
    expect(read).toContain('SUPEROFFLOAD_HOME');
    const told = [...userVariables, ...runVariables].map(([name]) => name);
    for (const name of read) expect(told).toContain(name);
  });
});
