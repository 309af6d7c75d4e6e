import { join } from 'node:path';
import { readJson } from '../../adapters/files.ts';
import type { Context } from '../context.ts';

interface SchemaPart {
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly items?: SchemaPart;
}

/** The fields of a system file with what its schema says of each; those of an object as `site.setup`. */
export async function systemFields(
  context: Pick<Context, 'packageRoot'>,
): Promise<(readonly [field: string, meaning: string])[]> {
  const schema = (await readJson(join(context.packageRoot, 'experiment/schema/system.json'))) as SchemaPart;
  return fieldsOf(schema, '');
}

function fieldsOf({ properties = {} }: SchemaPart, prefix: string): (readonly [string, string])[] {
  return Object.entries(properties).flatMap(([name, part]) => {
    if (name === '$schema') return [];
    const path = `${prefix}${name}`;
    const values = part.enum?.map(String).join(', ');
    const said = [part.description, values === undefined ? undefined : `one of ${values}`];
    const own = [path, said.filter((each) => each !== undefined).join(' ')] as const;
    return [own, ...fieldsOf(part, `${path}.`)];
  });
}
