import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readModels } from '../src/adapters/experiment-data.ts';
import { checkBaseline } from '../src/workflows/gate/read-baseline.ts';
import { hold, launch, session } from './core/gate/gate-runs.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs', 'ci.md'), 'utf8');

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(
    ([, text]) => text!,
  );
}

describe('docs/ci.md', () => {
  it('shows an expected failure that is read, and excuses what it says until its day', () => {
    const [text, ...more] = blocks('json');
    expect(more).toEqual([]);
    const models = readModels([join(root, 'experiment')]).map(({ shape }) => shape.name);
    const { expectedFailures } = checkBaseline(JSON.parse(text!), 'docs/ci.md', models);
    const [declared] = expectedFailures;
    expect(Object.keys(declared!).sort()).toEqual(['case', 'metric', 'reason', 'until']);
    const model = { ...launch().case!.model, name: declared!.case.model! };
    const subject = { mode: 'prism', model } as const;
    const reference = session(0, [1000, 1001, 999], { subject });
    const named = session(0, [1300, 1301, 1299], { subject });
    const statusOn = (today: string) =>
      hold({ reference, named, baseline: { expectedFailures }, options: { today } }).rows[0]!.status;
    expect([statusOn(declared!.until), statusOn('2027-02-01')]).toEqual(['expected', 'regression']);
  });

  it('has examples for GitHub and GitLab that are YAML, and install from a clone', () => {
    const [github, gitlab] = blocks('yaml').map((text) => parse(text) as object);
    expect(github).toHaveProperty('jobs.in-turns.steps');
    const job = (gitlab as { readonly '.superoffload': { readonly before_script: readonly string[] } })[
      '.superoffload'
    ];
    expect(job.before_script.every((line) => typeof line === 'string')).toBe(true);
    expect(job.before_script.join('\n')).toMatch(/git clone [^]*npm ci[^]*\$SUPEROFFLOAD install/);
    expect(job.before_script.join()).not.toContain('npm install --global');
    expect(page).toContain('Replace OWNER');
  });
});
