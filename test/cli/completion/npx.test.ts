import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { program } from '../../e2e/program.ts';

/** npx, as it starts this program; and the function that `completion --help` names, before its script. */
const setup = `
  npx() { shift; '${process.execPath}' '${program}' "$@"; }
  superoffload() { npx superoffload "$@"; }
  source <(superoffload completion bash)`;

/** What bash offers behind a line. */
function offered(line: string): string[] {
  const ask = `COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; _superoffload; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync('bash', ['--noprofile', '--norc', '-c', `${setup}\n${ask}`], {
    cwd: tmpdir(),
    encoding: 'utf8',
  });
  return text.split('\n').filter((word) => word !== '');
}

describe('a superoffload that only npx finds', () => {
  it('is completed under a function of its name', ({ skip }) => {
    if (spawnSync('bash', ['--version']).status !== 0) skip('no bash');
    expect(offered('superoffload thr')).toEqual([expect.stringMatching(/^throughput/)]);
    expect(offered('superoffload throughput --activation-c').join()).toContain('--activation-checkpointing');
  });
});
