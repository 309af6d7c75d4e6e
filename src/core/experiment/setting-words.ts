import { modes } from '../deepspeed/modes/registry.ts';
import type { Case } from './case.ts';

/**
 * What a case has besides its mode, size, batch and sequence, short: `ratio 0.9, clipping 1, superoffload.speculation=0`.
 * Empty where all of it is as the mode has it.
 */
export function settingWords(subject: Case): string {
  const { mode, ratio, gradientClipping, activationCheckpointing, deepspeedOverrides } = subject;
  return [
    ...(ratio === null || ratio === modes[mode].defaultRatio ? [] : [`ratio ${ratio}`]),
    ...(gradientClipping === 0 ? [] : [`clipping ${gradientClipping}`]),
    ...(activationCheckpointing ? ['recomputation'] : []),
    ...Object.entries(deepspeedOverrides).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
  ].join(', ');
}

/** Titles of cases, with their settings where two have the same title. */
export function distinctTitles(cases: readonly { readonly title: string; readonly case: Case }[]): string[] {
  const isClear = new Set(cases.map(({ title }) => title)).size === cases.length;
  return cases.map(({ title, case: subject }) => {
    const words = isClear ? '' : settingWords(subject);
    return words === '' ? title : `${title}, ${words}`;
  });
}
