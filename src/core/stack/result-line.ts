const mark = 'SUPEROFFLOAD ';

/** @returns what the last result line of one of this tool's Python programs holds; undefined when there is none. */
export function resultLine(stdout: string): unknown {
  const line = stdout.split('\n').findLast((text) => text.startsWith(mark));
  return line === undefined ? undefined : (JSON.parse(line.slice(mark.length)) as unknown);
}
