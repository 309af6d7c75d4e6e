import type { Diagnosis } from '../../core/doctor/checks.ts';

/** What `doctor` says, for a person: one line a check, its fix below it. */
export function doctorText({ checks, canRun, accelerator }: Diagnosis): string {
  const width = Math.max(...checks.map(({ id }) => id.length));
  const lines = checks.map(({ id, level, found, fix }) => {
    const line = `${level.padEnd(7)}  ${id.padEnd(width)}  ${found}`;
    return fix === null ? line : `${line}\n${' '.repeat(width + 11)}fix: ${fix}`;
  });
  const kind = accelerator === 'cuda' ? 'all modes on the GPU' : 'functional runs on the CPU';
  const isInstalled = checks.some(({ id, level }) => id === 'stack' && level === 'ok');
  const first = accelerator === 'cuda' ? 'throughput --chips 1 --model 2B' : 'throughput --model tiny';
  const verdict = canRun
    ? `This machine can run: ${kind}. Next: superoffload ${isInstalled ? first : 'quickstart'}`
    : 'This machine cannot run the main job yet: mend the lines marked "missing".';
  return [...lines, '', verdict].join('\n');
}
