/** Numbers as the report writes them too. */
export { formatCount, formatDuration, formatNumber } from '../../core/text/format.ts';
