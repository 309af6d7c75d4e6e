/** What check_sources.py found, and whether it is what was installed. */
import { resultLine } from '../stack/result-line.ts';
import type { SourceFacts } from './source-steps.ts';
import type { UpstreamName } from '../upstreams/upstream.ts';

export interface ImportedModules {
  /** Module to the file it came from; null for one that has none. */
  readonly modules: Readonly<Record<string, string | null>>;
  readonly problems: readonly string[];
}

/** @returns the last result line of check_sources.py, undefined when there is none. */
export function parseImports(stdout: string): ImportedModules | undefined {
  return resultLine(stdout) as ImportedModules | undefined;
}

/** Modules that must come from the work tree of an upstream. */
const modulesOf: Readonly<Record<UpstreamName, readonly string[]>> = {
  deepspeed: ['deepspeed'],
  megatron: ['megatron', 'pretrain_gpt'],
  apex: [],
};

/** @param expected `folder` holds one work tree an upstream. */
export function judgeImports(
  { modules, problems }: ImportedModules,
  { folder, sources }: { readonly folder: string; readonly sources: Pick<SourceFacts, 'choices'> },
): { readonly message: string; readonly hint: string }[] {
  const strange = sources.choices.flatMap(({ name }) =>
    modulesOf[name].flatMap((module) => {
      const from = modules[module];
      // One that could not be imported is among the problems already.
      if (from === undefined || from?.startsWith(`${folder}/${name}/`) === true) return [];
      return [`Python imports ${module} from ${from ?? 'nowhere'}, not from ${folder}/${name}`];
    }),
  );
  const hint = 'superoffload install --reinstall starts anew; all output is in the install.log of the stack';
  return [...problems, ...strange].map((message) => ({ message, hint }));
}
