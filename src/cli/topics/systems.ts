import { systemFields } from '../../workflows/systems/system-fields.ts';
import type { CommandIo } from '../commands/module.ts';
import { rows } from './topic-text.ts';

/** The fields are those of experiment/schema/system.json, as every system file is checked by it. */
export async function text({ context }: CommandIo): Promise<string> {
  return [
    'A machine profile is experiment/systems/NAME.json in the folder you work in, or one of the package.',
    rows(await systemFields(context)),
    'A profile of this machine, measured: superoffload systems probe > experiment/systems/NAME.json',
    'All that are known: superoffload systems list; one with its sources: superoffload systems show NAME',
  ].join('\n\n');
}
