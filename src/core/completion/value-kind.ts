/** What a value on the command line stands for, as far as completion can help with it. `none`: nothing to offer. */
export type ValueKind =
  | 'none'
  | 'file'
  | 'folder'
  | 'mode'
  | 'tune-mode'
  | 'model'
  | 'system'
  | 'stack'
  | 'experiment'
  | 'figure'
  | 'run'
  | 'tag'
  | 'campaign'
  | 'source'
  | 'stack-or-run'
  | 'tag-or-file'
  | 'experiment-or-campaign'
  | 'figure-format'
  | 'report-format'
  | 'metric'
  | 'filter'
  | 'retry'
  | 'run-state'
  | 'upstream'
  | 'addition'
  | 'topic';

/** Kinds of which a flag takes several at once, with commas between. */
const lists: ReadonlySet<ValueKind> = new Set([
  'mode',
  'tune-mode',
  'model',
  'figure-format',
  'report-format',
  'metric',
  'retry',
  'run-state',
]);

export function isList(kind: ValueKind): boolean {
  return lists.has(kind);
}

/** Where the placeholder does not say it: by `verb subcommand` and the flag or argument, or by the flag alone. */
const byName: Readonly<Record<string, ValueKind>> = {
  'help command': 'topic',
  'stacks diff a': 'stack-or-run',
  'stacks diff b': 'stack-or-run',
  'compare a': 'source',
  'compare b': 'source',
  'runs tag name': 'tag',
  'campaign run experiment': 'experiment-or-campaign',
  'campaign status name': 'campaign',
  'campaign cancel name': 'campaign',
  'tune --mode': 'tune-mode',
  'figure --formats': 'figure-format',
  'report --formats': 'report-format',
  '--from': 'source',
  '--mode': 'mode',
  '--model': 'model',
  '--system': 'system',
  '--stack': 'stack',
  '--ab': 'stack',
  '--metric': 'metric',
  '--filter': 'filter',
  '--case': 'filter',
  '--case-a': 'filter',
  '--case-b': 'filter',
  '--retry': 'retry',
  '--state': 'run-state',
  '--remove': 'tag',
  '--name': 'campaign',
  '--with': 'addition',
  'install --source': 'upstream',
  '--ref': 'upstream',
};

/** What a placeholder says: a new flag with `<file>` needs no line here. */
const byPlaceholder: Readonly<Record<string, ValueKind>> = {
  file: 'file',
  files: 'file',
  path: 'file',
  prefix: 'file',
  archive: 'file',
  command: 'file',
  'url|path': 'file',
  'prefix|dir': 'file',
  'file|tag': 'tag-or-file',
  dir: 'folder',
  run: 'run',
  stack: 'stack',
  system: 'system',
  figure: 'figure',
  experiment: 'experiment',
  mode: 'mode',
  campaign: 'campaign',
  tag: 'tag',
  source: 'source',
  ...Object.fromEntries(
    [
      ...['n', 'b', 'g', 'h', 'l', 'p', 'r', 'GiB', 'number', 'tokens', 'share', 'level'],
      ...['duration', 'minutes', 'limit', 'step', 'version', 'size', 'type', 'kernel', 'how'],
      ...['nodes', 'features', 'key=value', 'name', 'date', 'reason', 'title', 'text'],
    ].map((placeholder) => [placeholder, 'none'] as const),
  ),
};

/**
 * @param path `campaign run`
 * @param name of the flag (`--mode`), or of the argument
 * @returns undefined where nothing says what it is: a test sees to it that there is no such value.
 */
export function valueKindOf(path: string, name: string, placeholder: string): ValueKind | undefined {
  return (
    byName[`${path} ${name}`] ??
    (name.startsWith('-') ? byName[name] : undefined) ??
    byPlaceholder[placeholder]
  );
}
