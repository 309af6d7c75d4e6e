/** How a figure can be written. */
export const figureFormats = ['svg', 'png', 'json', 'csv', 'md', 'html'] as const;
export type FigureFormat = (typeof figureFormats)[number];

/** Where nothing is said: pictures, and the data that they were drawn from. */
export const usualFormats = ['svg', 'png', 'json'] as const satisfies readonly FigureFormat[];
