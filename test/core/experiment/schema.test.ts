import { Ajv2020 } from 'ajv/dist/2020.js';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generateSchemas } from '../../../scripts/schema.ts';

it.each(Object.entries(generateSchemas()))(
  'experiment/schema/%s is what `npm run schema` writes',
  (name, text) => {
    const committed = readFileSync(new URL(`../../../experiment/schema/${name}`, import.meta.url), 'utf8');
    expect(committed).toBe(text);
  },
);

const folder = new URL('../../../experiment/schema/', import.meta.url);

it.each(readdirSync(folder))(
  'experiment/schema/%s is a sound schema: the program does not check it again',
  (name) => {
    const schema = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as object;
    const ajv = new Ajv2020();
    expect(ajv.validateSchema(schema), ajv.errorsText()).toBe(true);
  },
);
