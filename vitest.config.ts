import { defineConfig } from 'vitest/config';

/** Tests whose answer depends on how fast the machine is: they run after all others, with nothing beside them. */
const timed = ['test/workflows/gate/ab-deepspeed.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', './test/slowest-reporter.ts'],
    // A guard against what hangs for ever, here and where a test names its own: machines may be busy, or three times slower.
    testTimeout: 90_000,
    hookTimeout: 600_000,
    // One more than the two cores that are the floor: tests wait for real processes a quarter of their time. With 2, a whole
    // run took 21m43, with 3 it took 17m57; more only make time limits of real processes lie.
    maxWorkers: 3,
    slowTestThreshold: 2_000,
    projects: [
      {
        extends: true,
        test: { name: 'tests', include: ['test/**/*.test.ts'], exclude: timed, sequence: { groupOrder: 0 } },
      },
      { extends: true, test: { name: 'alone', include: timed, sequence: { groupOrder: 1 } } },
    ],
  },
});
