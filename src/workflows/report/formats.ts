import { faultsError } from '../../errors.ts';

export const reportFormats = ['html', 'md', 'csv'] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** @throws SuperOffloadError 'usage' with every name that is no format. */
export function checkedFormats(names: readonly string[]): ReportFormat[] {
  const isFormat = (name: string): name is ReportFormat =>
    (reportFormats as readonly string[]).includes(name);
  const faults = names
    .filter((name) => !isFormat(name))
    .map((name) => ({ place: '--formats', problem: `no format ${JSON.stringify(name)}` }));
  if (faults.length > 0) throw faultsError('usage', faults, `formats are: ${reportFormats.join(', ')}`);
  return reportFormats.filter((format) => names.includes(format));
}
