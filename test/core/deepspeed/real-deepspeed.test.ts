import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { capture } from '../../../src/adapters/exec.ts';
import { buildConfig } from '../../../src/core/deepspeed/build-config.ts';
import { realStack } from '../../real-stack.ts';
import { goldenCases } from './golden-cases.ts';

const root = new URL('../../../', import.meta.url);
const options = { deepspeedVersion: '0.19.8', superOffload: 'key' } as const;

async function python(script: string, input: string): Promise<string> {
  const path = new URL(script, root).pathname;
  const result = await capture([realStack.python, path], { env: realStack.env, input, timeoutMs: 110_000 });
  expect(result, result.stderr.slice(-2000)).toMatchObject({ exitCode: 0 });
  return result.stdout;
}

describe('the installed DeepSpeed', { timeout: 600_000 }, () => {
  it('accepts every generated JSON, and refuses a wrong batch and an unknown key', async () => {
    const cases = Object.fromEntries(
      goldenCases().map(({ name, case: testCase }) => [
        name,
        {
          config: buildConfig(testCase, options),
          ranks: testCase.chips / testCase.sequenceParallel,
        },
      ]),
    );
    const good = cases['prism-4']!;
    const zero = good.config['zero_optimization'] as object;
    const wrong = {
      batch: { ...good, ranks: 3 },
      key: { ...good, config: { ...good.config, zero_optimization: { ...zero, sub_group_sise: 1 } } },
    };
    const verdicts = JSON.parse(
      await python('test/core/deepspeed/accept.py', JSON.stringify({ ...cases, ...wrong })),
    ) as Record<string, string | null>;
    expect(verdicts['batch']).toContain('Check batch related parameters');
    expect(verdicts['key']).toContain('Extra inputs are not permitted');
    expect(Object.entries(verdicts).filter(([name, error]) => error !== null && !(name in wrong))).toEqual(
      [],
    );
    expect(Object.keys(verdicts)).toHaveLength(goldenCases().length + 2);
  });

  it('has exactly the keys that are committed for its version', async () => {
    const exported = await python('scripts/export-deepspeed-keys.py', '');
    const { $id } = JSON.parse(exported) as { $id: string };
    const committed = readFileSync(new URL(`experiment/schema/${$id}.json`, root), 'utf8');
    expect(JSON.parse(exported)).toEqual(JSON.parse(committed));
  });
});
