/**
 * The benchmark tables of bench/README.md, "The overlap optimizer", of records:
 *
 *     npx tsx bench/overlap.ts SOURCE... > bench/overlap.md
 *
 * A source is what one call on a GPU machine brought back: a folder of runs, an archive of `superoffload runs export`, or
 * any .tar or .tar.gz with a folder `runs`. Without one: those of bench/measured. Ratios are taken within a
 * source. test/bench/overlap.test.ts holds overlap.md to what measured/ gives.
 */
import { overlapReport } from './overlap-report.ts';
import { readSources } from './overlap-runs.ts';

const given = process.argv.slice(2);
process.stdout.write(overlapReport(await readSources(given.length > 0 ? given : undefined)));
