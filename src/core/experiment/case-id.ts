import type { Case } from './case.ts';

/**
 * A case's name in paths and tables: what a person wants to see, then eight hex digits over everything else.
 * Equal cases have equal ids on every machine and in every version that keeps {@link Case}.
 */
export function caseIdOf(testCase: Case): string {
  const words = [
    ...(testCase.workload === 'builtin' ? [] : [testCase.workload]),
    testCase.mode.replaceAll('_', '-'),
    testCase.model.name.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '-'),
    `${testCase.chips}chip`,
    ...(testCase.sequenceParallel > 1 ? [`sp${testCase.sequenceParallel}`] : []),
    `s${testCase.sequenceLength}`,
    `b${testCase.microBatch}x${testCase.gradientAccumulation}`,
    testCase.dtype,
    ...(testCase.activationCheckpointing ? ['ac'] : []),
  ];
  return `${words.join('-')}-${shortHash(canonicalJson(testCase))}`;
}

/** JSON with the keys of every object in order, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = value as Record<string, unknown>;
  // A loop, and no list of pairs: campaigns do this for thousands of cases.
  let text = '';
  for (const key of Object.keys(fields).sort()) {
    const item = fields[key];
    if (item === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(item)}`;
  }
  return `{${text}}`;
}

/**
 * FNV-1a, 32 bits, over UTF-16 code units: names a case among the few thousand of a folder; it protects nothing.
 * Source: Fowler, Noll, Vo; draft-eastlake-fnv.
 */
export function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}
