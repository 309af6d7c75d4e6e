/**
 * Predictions beside every measured run and beside the published Figure 13, as Markdown:
 *
 *     npx tsx bench/predict.ts > bench/predict.md
 *
 * test/core/model/predict-measured.test.ts holds both to their tolerances, and predict.md to this output.
 */
import { predictReport } from './predict-report.ts';

process.stdout.write(predictReport());
