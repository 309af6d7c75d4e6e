/** An install as data: what --dry-run prints is what the install runs. */
import { quoteCommand, quoteWord } from '../launch/quote.ts';

/** In which environment a command runs: the caller's (cleaned), or that of the stack's own processes. */
export type StepEnvironment = 'installer' | 'stack' | 'stack without a compiler';

export type InstallStep =
  | {
      readonly kind: 'command';
      readonly id: string;
      readonly title: string;
      readonly command: readonly string[];
      readonly environment: StepEnvironment;
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
    };

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
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
