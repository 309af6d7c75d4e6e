import type { Reporter, TestCase, TestModule } from 'vitest/node';

const shown = 20;
/** Faster ones are no news. */
const leastMs = 100;

/** Ends a test run with what a budget needs: the slowest tests, every skip with its reason, and a plain count. */
export default class SlowestReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const slowest = tests
      .map((test) => ({ test, durationMs: test.diagnostic()?.duration ?? 0 }))
      .filter(({ durationMs }) => durationMs >= leastMs)
      .sort((a, b) => b.durationMs - a.durationMs)
      .slice(0, shown);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    const skipped = tests.filter((test) => test.result().state === 'skipped');
    const lines = [
      ...(tests.length > 1 ? [`slowest ${slowest.length} of ${tests.length} tests:`] : []),
      ...(tests.length > 1 ? slowest.map(({ test, durationMs }) => line(durationMs, test)) : []),
      `skipped: ${skipped.length}`,
      ...skipped.map((test) => `  ${nameOf(test)}: ${reasonOf(test)}`),
      `${count('passed')} passed, ${count('failed')} failed, ${skipped.length} skipped`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}

function line(durationMs: number, test: TestCase): string {
  return `  ${(durationMs / 1000).toFixed(1).padStart(6)} s  ${nameOf(test)}`;
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  // Where a whole group is skipped its own name says why.
  const named = /SUPEROFFLOAD_TEST_\w+|\((?:skipped: [^)]*|[^()]* not (?:installed|set)[^)]*)\)/.exec(
    test.fullName,
  )?.[0];
  if (note !== undefined) return note;
  if (named !== undefined) return named.startsWith('(') ? named : `needs ${named}`;
  return test.module.errors().length > 0
    ? 'what comes before all tests of its file failed'
    : 'NO REASON GIVEN';
}
