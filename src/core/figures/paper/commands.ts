import type { FigureNumber } from '../figure-data.ts';

/** The command that makes the runs of a figure, on any number of chips. */
export function runsCommand(figure: FigureNumber, system: string | null): string {
  const on = system === null ? '' : ` --system ${system}`;
  switch (figure) {
    case 10:
      return `superoffload campaign run throughput --filter chips=1${on}`;
    case 11:
      return `superoffload campaign run throughput --chips 4${on}`;
    case 12:
      return `superoffload campaign run sequence_length --chips 4${on}`;
    case 13:
      return `superoffload model-size --chips 1${on}`;
  }
}
