/**
 * How often `tune` finds the best configuration, how many trials it takes, and how long:
 *
 *     npx tsx bench/tune.ts | npx prettier --parser markdown > bench/tune.md
 */
import { tuneReport } from './tune-report.ts';

process.stdout.write(tuneReport(10));
