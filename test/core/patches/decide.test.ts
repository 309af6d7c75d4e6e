import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planApply, planRevert } from '../../../src/core/patches/decide.ts';
import type { Found, RecordedFile, Wanted } from '../../../src/core/patches/decide.ts';

/** Few names and few contents, so that every combination is met. */
const content = fc.constantFrom('A', 'B', 'C', 'D');
const path = fc.constantFrom('p', 'q', 'r');
const found: fc.Arbitrary<Found> = fc.oneof(
  {
    weight: 6,
    arbitrary: content.map((blob) => ({ kind: 'file' as const, blob, lfBlob: blob, mode: 0o644 })),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'absent' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'blocked' as const, why: 'it is a link' }) },
);
const optional = fc.option(content, { nil: null });
const wanted: fc.Arbitrary<Wanted[]> = fc.uniqueArray(
  fc.record({ path, upstream: optional, final: content, patches: fc.constant(['0001-x.patch']) }),
  { selector: (file) => file.path },
);
const recorded: fc.Arbitrary<RecordedFile[]> = fc.uniqueArray(
  fc.record({ path, upstream: optional, blob: content }),
  { selector: (file) => file.path },
);
const tree = fc.record({ p: found, q: found, r: found }).map((files) => new Map(Object.entries(files)));
const facts = fc.record({ recorded, found: tree, isListed: fc.boolean() });
const blobOf = (at: Found | undefined): string | null => (at?.kind === 'file' ? at.blob : null);

describe('over every kind of tree', () => {
  it('applying never writes over a content that is neither the upstream’s nor what was recorded', () => {
    fc.assert(
      fc.property(wanted, facts, (targets, given) => {
        const plan = planApply(targets, given);
        if (plan.status !== 'ready') return;
        for (const file of plan.files) {
          const at = given.found.get(file.path);
          const target = targets.find((each) => each.path === file.path);
          const old = given.recorded.find((each) => each.path === file.path);
          expect(at?.kind).not.toBe('blocked');
          expect(file.from).toBe(blobOf(at));
          expect([target?.upstream, old?.blob, old?.upstream]).toContain(file.from);
          // A pre-image is at hand: in the tree, in the backup, or there is none.
          if (file.base === 'tree') expect(file.upstream).toBe(file.from);
          if (file.base === 'backup') expect(file.upstream).toBe(old?.upstream);
          expect(file.to).toBe(target === undefined ? file.upstream : target.final);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('once carried out there is nothing more to do, and a revert gives the upstream’s tree', () => {
    fc.assert(
      fc.property(wanted, tree, (targets, before) => {
        const first = planApply(targets, { recorded: [], found: before, isListed: true });
        if (first.status !== 'ready') return;
        const after = new Map(before);
        const put = (name: string, blob: string | null): void => {
          after.set(
            name,
            blob === null ? { kind: 'absent' } : { kind: 'file', blob, lfBlob: blob, mode: 0o644 },
          );
        };
        for (const file of first.files) put(file.path, file.to);
        const record = targets.map(({ path: name, upstream, final }) => ({
          path: name,
          upstream,
          blob: final,
        }));
        const now = { recorded: record, found: after, isListed: true };
        expect(planApply(targets, now)).toEqual({ status: 'applied' });
        const back = planRevert(now);
        if (back.status !== 'ready') throw new Error('blocked');
        for (const file of back.files) put(file.path, file.to);
        for (const { path: name, upstream } of targets) expect(blobOf(after.get(name))).toBe(upstream);
      }),
      { numRuns: 3000 },
    );
  });

  it('what is blocked names a place, and both blobs or their absence', () => {
    fc.assert(
      fc.property(wanted, facts, (targets, given) => {
        for (const plan of [planApply(targets, given), planRevert(given)]) {
          if (plan.status !== 'blocked') continue;
          expect(plan.conflicts.length).toBeGreaterThan(0);
          for (const conflict of plan.conflicts) {
            expect(conflict.reason).not.toBe('');
            expect(conflict.hint).not.toBe('');
            if (given.found.get(conflict.path)?.kind === 'file') {
              expect(conflict.expected, JSON.stringify(conflict)).not.toBe(conflict.found);
            }
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
