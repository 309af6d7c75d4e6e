import { defineConfig } from 'vitest/config';

/** Tests whose answer depends on how fast the machine is: they run after all others, with nothing beside them. */
const timed = ['test/workflows/gate/ab-deepspeed.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', './test/slowest-reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 600_000,
    // Two cores is the floor: more workers than that only make timeouts of real processes lie.
    maxWorkers: 2,
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
