import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', './test/slowest-reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 600_000,
    // Two cores is the floor: more workers than that only make timeouts of real processes lie.
    maxWorkers: 2,
    slowTestThreshold: 2_000,
  },
});
