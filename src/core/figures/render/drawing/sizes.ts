/** Sizes of letters, pixels. */
export const sizes = { title: 18, heading: 13, text: 12, label: 11, small: 10 } as const;
