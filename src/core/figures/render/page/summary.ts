import { figureTitle, type FigureData, type Mark } from '../../figure-data.ts';
import { shownLine } from '../../../text/plain.ts';
import { isShown } from '../view/figure-view.ts';

/** What a listener hears in place of the picture: what is shown, of which machine, and how many marks of what source. */
export function figureSummary(data: FigureData): string {
  const { unit, system, functional, differences, panels, series } = data;
  const count = (source: Mark['source'], state: Mark['state']): number =>
    data.marks.filter((mark) => isShown(mark) && mark.source === source && mark.state === state).length;
  const sources = [
    `${count('measured', 'value')} measured values`,
    `${count('predicted', 'value')} predicted`,
    `${count('published', 'value')} of the paper`,
  ];
  const parts = [
    `${figureTitle(data)}. ${unit}, on ${system.title}.`,
    ...(functional ? ['Measured on CPUs: functional, not a speed.'] : []),
    `Panels: ${panels.map((panel) => panel.title).join(', ') || 'none'}. Series: ${series.map((each) => each.title).join(', ') || 'none'}.`,
    `${sources.join(', ')}; ${count('measured', 'oom')} measured cells out of memory, ${count('measured', 'not-run')} not run.`,
    ...(differences.length > 0 ? [`Not as in the paper: ${differences.join(' \u00b7 ')}.`] : []),
  ];
  return shownLine(parts.join(' '), 1200);
}
