/** One row a topic of `superoffload help`. Only the one that was asked for is loaded. */
export const topics: readonly {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<() => string>;
}[] = [];
