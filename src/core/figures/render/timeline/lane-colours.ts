/**
 * What each kind of interval is drawn in: the host's phases in greys, which say when and not what; each resource in a
 * colour of its own. Pageable copies, which cost the most and need not be, stand out from page-locked ones for readers
 * without red or green cones too (test/core/figures/render/timeline/lane-colours.test.ts).
 */
export const kindColours: Readonly<Record<string, string>> = {
  forward: '#c9c9c9',
  backward: '#8a8a8a',
  step: '#4a4a4a',
  compute: '#00785f',
  pinned: '#3d92c9',
  pageable: '#d55e00',
  adam: '#7b4bb0',
  wait: '#b8860b',
  idle: '#a3123a',
  gradients: '#2f6f9f',
  pass: '#5c6bc0',
  'to the worker': '#8c564b',
  back: '#8c564b',
  'worker copy': '#c2487f',
  weights: '#2f6f9f',
  'for the worker': '#b8860b',
  'for Adam': '#b8860b',
  'for the GPU': '#b8860b',
  'for copies': '#b8860b',
};

/** A phase that nobody foresaw. */
export const otherKind = '#6e6e6e';

/** Of the ground behind all lanes, as long as the step is: ticks show through. */
export const stepOpacity = 0.06;
