/**
 * What the build of DeepSpeed's ops says, in words that fit a line: ninja prints the whole command of each file once it
 * is compiled, and nothing meanwhile.
 * @returns of each line of check_stack.py what to show for it
 */
export function buildProgress(): (line: string) => string {
  let op = '';
  let newest: string | null = null;
  return (line) => {
    const loading = /^loading (\w+)$/.exec(line)?.[1];
    if (loading !== undefined) {
      op = loading;
      newest = `${op}: compiling it where it is not there yet; a file takes a minute or two`;
      return newest;
    }
    const [, done, all, command] = /^\[(\d+)\/(\d+)\] (.*)$/.exec(line) ?? [];
    // A compiler's warnings are in the log, and no sign of how far it is.
    if (done === undefined || all === undefined) return newest ?? line;
    newest = `${op}: ${done} of ${all} built, last ${fileOf(command ?? '')}`;
    return newest;
  };
}

/** The source that was compiled, else what was linked. */
function fileOf(command: string): string {
  const path = (/ -c (\S+)/.exec(command) ?? / -o (\S+)/.exec(command))?.[1] ?? command;
  return path.slice(path.lastIndexOf('/') + 1);
}
