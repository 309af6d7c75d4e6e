const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Whether runs may be tagged so: it names a file. */
export function isTagName(name: string): boolean {
  return namePattern.test(name);
}

export const tagNameRule = 'letters, digits, dots, dashes and underlines, 64 at most';

/** What a source means before any tag is looked for. */
export const sourceWords: readonly string[] = ['runs', 'last'];
