import type { Series } from '../../figure-data.ts';

/**
 * One colour a mode, the same in every figure. Each has a contrast of 3 and more against white (WCAG 1.4.11), those of
 * one figure stay apart for readers without red or green cones, and neighbours differ in lightness, so that they do in
 * a grey print: test/core/figures/render/palette.test.ts computes all of it. The first is Okabe and Ito's vermillion.
 */
export const seriesColours: Readonly<Record<string, string>> = {
  prism: '#d55e00',
  prism_overlap: '#a3123a',
  zero_offload: '#08305c',
  zero_infinity: '#00785f',
  zero_infinity_param: '#6b4a00',
  zero_2: '#7b4bb0',
  zero_3: '#3d92c9',
  ddp: '#3f3f3f',
  prism_ulysses: '#cc3311',
  ulysses: '#1f4e79',
  megatron: '#c46f9f',
  'fsdp-cpu-offload': '#8a8a8a',
};

/** For series that nobody has foreseen, in the order in which they come. */
const others = [
  '#5f7d00',
  '#8c1d40',
  '#00688b',
  '#9a6a55',
  '#4d4d9f',
  '#2f6f2f',
  '#b05a7a',
  '#6e6e6e',
] as const;

/** Dark enough for small text; what is not about one mode. */
export const ink = '#222222';
export const mutedInk = '#555555';
export const gridColour = '#dddddd';

/** The colour of each series, by its key. */
export function coloursOf(series: readonly Series[]): ReadonlyMap<string, string> {
  const colours = new Map<string, string>();
  let unknown = 0;
  for (const { key } of series) {
    const known = Object.hasOwn(seriesColours, key.toLowerCase())
      ? seriesColours[key.toLowerCase()]
      : undefined;
    colours.set(key, known ?? others[unknown % others.length] ?? ink);
    if (known === undefined) unknown += 1;
  }
  return colours;
}

/** Of the colour of a series in the bar of its prediction: light enough to be seen as empty. */
export const hollowOpacity = 0.14;
