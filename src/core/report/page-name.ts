/** File systems take 255 bytes a name. */
const maxIdChars = 200;

/** The page of a run, in the report's folder; ids are checked where records are read (results/run-files.ts). */
export function pageName(runId: string): string {
  const name = runId.length <= maxIdChars ? runId : `${runId.slice(0, 100)}_${runId.slice(-99)}`;
  return `runs/${name}.html`;
}
