import { conflictFault, conflictHint } from '../../core/patches/conflict-text.ts';
import type { SeriesReport } from '../../workflows/patch/check.ts';
import type { UpstreamPatched, UpstreamReverted, UpstreamVerified } from '../../workflows/patch/stack.ts';

/** A stack without any upstream that has a series. */
export function nothingText(stack: string): string {
  return `Nothing in stack ${stack} is patched: no patch series is for what is installed in it.`;
}

/** Every patch and overlay file: its state, its reason, where the upstream discusses it. */
export function listText({ upstream, tree, title, patches, overlay }: SeriesReport): string {
  const lines = patches.flatMap(({ file, title: what, reason, thread, state, why }) => [
    `${state.padEnd(11)}  ${file.slice(0, 4)}  ${what}`,
    ...[why === null ? '' : `skipped: ${why}`, reason, thread ?? ''].flatMap(indented),
  ]);
  const ours = overlay.flatMap(({ path, reason, state, why }) => [
    `${state.padEnd(11)}  ${path}`,
    ...[why === null ? '' : `skipped: ${why}`, reason].flatMap(indented),
  ]);
  const second = ours.length === 0 ? [] : ['', 'Files of ours beside it:', ...ours];
  return [`${upstream}: ${title}`, tree, '', ...lines, ...second].join('\n');
}

function indented(text: string): string[] {
  return text === '' ? [] : [`${' '.repeat(19)}${text}`];
}

/** What applying would do. */
export function checkText({ upstream, tree, status, patches, overlay, conflicts }: SeriesReport): string {
  const count = counts(
    patches.filter(({ state }) => state !== 'skipped').length,
    overlay.filter(({ state }) => state !== 'skipped').length,
  );
  if (status === 'applied') return `${upstream}: ${count} are applied; nothing to do in ${tree}`;
  if (status === 'ready') return `${upstream}: ${count} would be applied to ${tree}`;
  const faults = conflicts.map((conflict) => conflictFault(conflict, tree));
  const lines = faults.map(({ place, problem }) => `  ${place}: ${problem}`);
  const hint = conflictHint(conflicts).replaceAll('\n', '\n  ');
  return [`${upstream}: the series does not apply to ${tree}`, ...lines, `  ${hint}`].join('\n');
}

export function patchedText({ upstream, tree, patches }: UpstreamPatched): string {
  const skipped = patches.skipped.map(({ file, reason }) => `  skipped ${file}: ${reason}`);
  const count = counts(patches.applied.length, patches.overlay.length);
  return [`${upstream}: ${count} are applied to ${tree}`, ...skipped].join('\n');
}

/** Every difference with what was expected and found. */
export function verifyText({ upstream, tree, differences }: UpstreamVerified, stack: string): string {
  if (differences.length === 0) return `${upstream}: ${tree} is as the lock and the series say`;
  const lines = differences.map(({ path, problem, expected, found }) => {
    const ids = expected === null ? '' : ` (expected ${expected}, found ${found ?? 'nothing'})`;
    return `  ${path}: ${problem}${ids}`;
  });
  const next = `  To mend it: superoffload patch --stack ${stack}`;
  return [`${upstream}: ${tree} differs:`, ...lines, next].join('\n');
}

export function revertText(
  { upstream, tree, restored, removed }: UpstreamReverted,
  { stack, isDryRun }: { readonly stack: string; readonly isDryRun: boolean },
): string {
  const would = isDryRun ? 'would be ' : '';
  const lines = [
    ...restored.map((path) => `  ${would}restored  ${path}`),
    ...removed.map((path) => `  ${would}removed   ${path}`),
  ];
  if (lines.length === 0) return `${upstream}: ${tree} is not patched; nothing to do`;
  const next = `Before a run that needs it, patch it again: superoffload patch --stack ${stack}`;
  const head = `${upstream}: ${tree} ${isDryRun ? 'would be' : 'is'} as the upstream made it`;
  return [head, ...lines, ...(isDryRun ? [] : [next])].join('\n');
}

function counts(patches: number, files: number): string {
  return `${patches} ${patches === 1 ? 'patch' : 'patches'} and ${files} ${files === 1 ? 'file' : 'files'} of ours`;
}
