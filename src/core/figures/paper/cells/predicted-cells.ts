import { followsBatchRule } from '../../../experiment/grid-batch.ts';
import { layoutOf } from '../../../launch/layout.ts';
import type { FigureScene } from '../scene.ts';
import type { Mark } from '../../figure-data.ts';
import { caseAt, eachPlace, predictOptions, sizesAt } from './measured-cells.ts';
import { predictedFrontier, predictedSpeed } from '../../marks/predicted-marks.ts';

/** What is predicted of every place of every mode, run or not; none where the chips do not fill whole nodes. */
export function predictedMarks(scene: FigureScene): Mark[] {
  const { system } = scene.system;
  const setting = { system, options: predictOptions(scene) };
  const hasRule = followsBatchRule(scene.experiment[system.accelerator], {});
  return eachPlace(scene, (planned, place, mode) => {
    if (!layoutOf(place.chips, system.chipsPerNode).ok) return null;
    const at = { panel: planned.panel.key, series: mode, x: place.x };
    if (scene.unit === 'billions') {
      return predictedFrontier(at, sizesAt(scene, place, mode), setting, ({ model }) =>
        scene.sizes.labelOf(model),
      );
    }
    const asked = caseAt(scene, planned, place, mode);
    if (asked === null || scene.unit === 'tokens') return null;
    return predictedSpeed(at, asked, setting, { hasRule, unit: scene.unit });
  });
}
