import { filterKeys } from '../../core/campaign/filter.ts';
import { modes } from '../../core/deepspeed/modes/registry.ts';
import { fold, rows } from './topic-text.ts';

export function text(): string {
  return [
    'A case is one cell of an experiment: a mode, a size, and how it is trained. Its modes:',
    rows(
      Object.values(modes).map(({ name, title, aliases, zeroStage }) => [
        name,
        `${title}, ZeRO stage ${zeroStage}${aliases.length === 0 ? '' : `; also: ${aliases.join(', ')}`}`,
      ]),
    ),
    'Sizes: superoffload models. Of your own: experiment/model.json in the folder you work in, or LAYERSxHIDDEN.',
    `Keys of --filter and --case, as in chips=1,4,mode=prism:\n${fold(filterKeys.join(', '), 96)
      .map((line) => `  ${line}`)
      .join('\n')}`,
    'See what cases a command has, and the JSON of each: --dry-run, or superoffload config.',
  ].join('\n\n');
}
