/** Writes experiment/schema/*.json from the typebox schemas: `npm run schema`. A test compares them with the sources. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { manifestFileSchema } from '../src/core/dataset/manifest-file.schema.ts';
import { experimentFileSchema } from '../src/core/experiment/experiment-file.schema.ts';
import { systemFileSchema } from '../src/core/experiment/system-file.schema.ts';
import { paperFileSchema } from '../src/core/figures/paper/paper-file.schema.ts';
import { baselineFileSchema } from '../src/core/gate/baseline-file.schema.ts';
import { modelFileSchema } from '../src/core/model/model-file.schema.ts';
import { seriesFileSchema } from '../src/core/patches/series.schema.ts';
import { upstreamsFileSchema } from '../src/core/upstreams/upstreams-file.schema.ts';

const sources = {
  model: modelFileSchema,
  system: systemFileSchema,
  experiment: experimentFileSchema,
  dataset: manifestFileSchema,
  series: seriesFileSchema,
  upstreams: upstreamsFileSchema,
  baseline: baselineFileSchema,
  paper: paperFileSchema,
};

/** File name to content, exactly as committed. */
export function generateSchemas(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sources).map(([name, schema]) => [
      `${name}.json`,
      `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema }, null, 2)}\n`,
    ]),
  );
}

if (process.argv[1] === import.meta.filename) {
  const folder = new URL('../experiment/schema/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(generateSchemas())) writeFileSync(new URL(name, folder), text);
}
