/** An install as data: what --dry-run prints is what the install runs. */
import { quoteCommand, quoteWord } from '../launch/quote.ts';
import type { UpstreamChoice } from '../upstreams/choice.ts';
import type { UpstreamName } from '../upstreams/upstream.ts';

/** In which environment a command runs: the caller's (cleaned), or that of the stack's own processes. */
export type StepEnvironment = 'installer' | 'stack' | 'stack without a compiler';

export type InstallStep =
  | {
      readonly kind: 'command';
      readonly id: string;
      readonly title: string;
      readonly command: readonly string[];
      readonly environment: StepEnvironment;
      /** The stack's folder where absent. */
      readonly cwd?: string;
      /** Variables on top of that environment. */
      readonly variables?: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'write';
      readonly id: string;
      readonly title: string;
      readonly path: string;
      readonly text: string;
      readonly mode?: number;
    }
  | { readonly kind: 'remove'; readonly id: string; readonly title: string; readonly path: string }
  /** A link `path` -> `target`; nothing is done where `path` exists. */
  | {
      readonly kind: 'link';
      readonly id: string;
      readonly title: string;
      readonly path: string;
      readonly target: string;
    }
  /** Leaves exactly one commit of an upstream at `directory`, unpatched. */
  | {
      readonly kind: 'source';
      readonly id: string;
      readonly title: string;
      readonly choice: UpstreamChoice;
      readonly directory: string;
    }
  /** Applies the series of an upstream to `tree`, where there is one for it. */
  | {
      readonly kind: 'patch';
      readonly id: string;
      readonly title: string;
      readonly upstream: UpstreamName;
      readonly tree: string;
    }
  /** Decides about Apex with its tree at hand, and builds it where that is possible. */
  | { readonly kind: 'apex'; readonly id: string; readonly title: string };

/** A step that needs no more than processes and files. */
export type PlainStep = Exclude<InstallStep, { kind: 'source' | 'patch' | 'apex' }>;

/** One line for a person, in shell form. */
export function describeStep(step: InstallStep): string {
  switch (step.kind) {
    case 'command': {
      const variables = Object.entries(step.variables ?? {}).map(
        ([name, value]) => `${name}=${quoteWord(value)}`,
      );
      return [...variables, quoteCommand(step.command)].join(' ');
    }
    case 'write':
      return `write ${step.path} (${byteLength(step.text)} bytes)`;
    case 'remove':
      return `rm -rf ${quoteWord(step.path)}`;
    case 'link':
      return `ln -s ${quoteWord(step.target)} ${quoteWord(step.path)}`;
    case 'source':
      return describeFetch(step.choice, step.directory);
    case 'apex':
      return 'compare its setup.py with nvcc and torch; pip install it with --cpp_ext and --cuda_ext; import each extension';
    case 'patch':
      return `apply patches/${step.upstream} in ${quoteWord(step.tree)}, if they are for its version`;
  }
}

/** What a person would type for it; the real thing works beside the folder and asks for one commit only. */
function describeFetch({ source, ref, commit }: UpstreamChoice, directory: string): string {
  const words = ['git', 'fetch', '--depth', '1', '--', source.shown, commit ?? ref.name];
  return `${quoteCommand(words)} && git checkout FETCH_HEAD, in ${quoteWord(directory)}`;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
