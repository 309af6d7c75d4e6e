import type { TimelineData } from './timeline-data.ts';

/** The name of a picture's files, without folder and ending: `timeline-2b-1x-nvidia-h200`. */
export function timelineBase({ size, system }: Pick<TimelineData, 'size' | 'system'>): string {
  const parts = ['timeline', size ?? '', system.name];
  return parts
    .map(slug)
    .filter((part) => part !== '')
    .join('-');
}

/** Part of a file name on every system, whatever it was. */
function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9.]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60)
    .toLowerCase();
}
