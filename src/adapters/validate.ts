import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { nearest } from '../core/experiment/nearest.ts';
import {
  keyListFor,
  newestKnown,
  overlaySection,
  type KeyList,
  type KnownVersion,
} from '../core/deepspeed/known-keys.ts';
import type { Fault } from '../errors.ts';

/** A file of experiment/schema, without its ending. */
export type SchemaName =
  | 'model'
  | 'system'
  | 'experiment'
  | 'dataset'
  | 'series'
  | 'upstreams'
  | 'baseline'
  | 'paper'
  | `deepspeed-${KnownVersion}`;

const schemaFolder = new URL('../../experiment/schema/', import.meta.url);
const compiled = new Map<string, ValidateFunction>();
/** Thousands of configurations are for one version. */
const keyLists = new Map<string, KeyList>();

interface ObjectSchema {
  readonly properties: Readonly<Record<string, object>>;
}

/**
 * Checks data against a committed schema.
 * @param place what the data is called in a message, such as `model.json`.
 * @returns every fault with its JSON path, and the nearest known key for an unknown one.
 */
export function validateData(schemaName: SchemaName, data: unknown, place: string): Fault[] {
  const validate = validatorFor(schemaName, data);
  if (validate(data)) return [];
  return readable(validate.errors ?? []).map((error) => toFault(error, place));
}

/** Checks a DeepSpeed JSON against the keys of the newest known version that is not above `deepspeedVersion`. */
export function validateDeepSpeedConfig(
  config: unknown,
  deepspeedVersion: string,
  place: string,
): { readonly faults: readonly Fault[]; readonly note: string | null } {
  const list = keyLists.get(deepspeedVersion) ?? keyListFor(deepspeedVersion);
  keyLists.set(deepspeedVersion, list);
  const { version, note } = list;
  return { faults: validateData(`deepspeed-${version}`, config, place), note };
}

/**
 * @returns of {@link validateDeepSpeedConfig}'s faults those of unknown keys: what a misspelt section should have said
 *   is missing wherever the JSON is read.
 */
export function unknownDeepSpeedKeys(config: unknown, deepspeedVersion: string, place: string): Fault[] {
  const { faults } = validateDeepSpeedConfig(config, deepspeedVersion, place);
  return faults.filter(({ problem }) => problem === unknownKey);
}

const unknownKey = 'is not a known key';

function validatorFor(name: SchemaName, data: unknown): ValidateFunction {
  const sections = name.startsWith('deepspeed-') ? Object.keys(Object(data) as object).sort() : [];
  const id = [name, ...sections].join(' ');
  const known = compiled.get(id);
  if (known !== undefined) return known;
  const schema = sections.includes(overlaySection) ? withOverlay(readSchema(name)) : readSchema(name);
  // The committed schemas are checked by the tests; to check them again here costs more than the data's check.
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: false,
    validateSchema: false,
    meta: false,
  });
  const validate = ajv.compile(name.startsWith('deepspeed-') ? onlySections(schema, sections) : schema);
  compiled.set(id, validate);
  return validate;
}

function readSchema(name: SchemaName): ObjectSchema {
  return JSON.parse(readFileSync(new URL(`${name}.json`, schemaFolder), 'utf8')) as ObjectSchema;
}

/** The overlay's section is this project's: its keys are the same whatever DeepSpeed is installed. */
function withOverlay(schema: ObjectSchema): ObjectSchema {
  if (overlaySection in schema.properties) return schema;
  const newest = readSchema(`deepspeed-${newestKnown}`).properties[overlaySection] ?? {};
  return { ...schema, properties: { ...schema.properties, [overlaySection]: newest } };
}

/** Leaves what the data has no section for open: ajv compiles those rules too, three quarters of the time. */
function onlySections(schema: ObjectSchema, sections: readonly string[]): ObjectSchema {
  const properties = Object.entries(schema.properties).map(
    ([key, rules]) => [key, sections.includes(key) ? rules : {}] as const,
  );
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** One error for a value that fits no branch of a choice, not one a branch; a deeper fault beats the choice. */
function readable(errors: readonly ErrorObject[]): ErrorObject[] {
  const choices = errors.filter((error) => error.keyword === 'anyOf');
  const hidden = new Set<ErrorObject>();
  for (const choice of choices) {
    const below = errors.filter(
      (error) => error !== choice && error.instancePath.startsWith(choice.instancePath),
    );
    const shallow = below.filter(
      (error) => error.instancePath === choice.instancePath && error.keyword === 'type',
    );
    for (const error of shallow) hidden.add(error);
    if (below.length > shallow.length) hidden.add(choice);
  }
  return errors.filter((error) => !hidden.has(error));
}

function toFault(error: ErrorObject, place: string): Fault {
  const parameters = error.params as Readonly<Record<string, unknown>>;
  const at = (key?: string): string => {
    const path = error.instancePath + (key === undefined ? '' : `/${key}`);
    return path === '' ? place : `${place} ${path}`;
  };
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(parameters['additionalProperty']);
      return { place: at(key), problem: unknownKey, ...meant(key, knownKeys(error)) };
    }
    case 'required':
      return { place: at(String(parameters['missingProperty'])), problem: 'is missing' };
    case 'enum':
      return {
        place: at(),
        problem: `is ${shown(error.data)}`,
        expected: choices(parameters['allowedValues']),
      };
    case 'type':
      return { place: at(), problem: `is ${shown(error.data)}`, expected: String(parameters['type']) };
    case 'anyOf':
      return { place: at(), problem: `is ${shown(error.data)}`, expected: branchTypes(error.schema) };
    default:
      return { place: at(), problem: `is ${shown(error.data)}: it ${error.message ?? 'is not valid'}` };
  }
}

function knownKeys(error: ErrorObject): string[] {
  const parent = error.parentSchema as { readonly properties?: object } | undefined;
  return Object.keys(parent?.properties ?? {});
}

function meant(key: string, known: readonly string[]): { expected?: string } {
  const candidate = nearest(key, known);
  if (candidate !== undefined) return { expected: `did you mean "${candidate}"?` };
  return known.length > 0 && known.length <= 12 ? { expected: known.join(', ') } : {};
}

function choices(values: unknown): string {
  if (!Array.isArray(values)) return String(values);
  // DeepSpeed's stage is an enumeration with two names for 3.
  return [...new Set(values.map((value) => JSON.stringify(value)))].join(', ');
}

function branchTypes(schema: unknown): string {
  const branches = (Array.isArray(schema) ? schema : []) as readonly { type?: string; $ref?: string }[];
  return branches.map(({ type, $ref }) => type ?? $ref?.split('/').at(-1) ?? 'another form').join(' or ');
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
