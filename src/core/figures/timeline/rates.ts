import type { HardwareRates } from '../../experiment/case.ts';
import type { MachineRates } from '../../model/limits.ts';

/** What a machine was measured to do, as far as it is known, and by whom. */
export interface KnownRates {
  /** One for each number of Adam's threads that was measured: no software beats the best of them. */
  readonly rates: readonly MachineRates[];
  /** For people: the numbers and where they come from. */
  readonly source: string;
  /** Rates that nobody measured and what stands in for them: the bounds are lower than they could be. */
  readonly lacks: readonly string[];
}

/** What `bench/overlap_limits.py` prints, as far as it is used. */
export interface MeasuredLimits {
  readonly adam: readonly MeasuredAdam[];
  readonly linkGBps: number;
}

interface MeasuredAdam {
  readonly threads: number;
  readonly adamNs: number;
  /** Both null where the machine has no GPU. */
  readonly besideCopiesNs: number | null;
  readonly linkBesideGBps: number | null;
}

/**
 * Reads what `bench/overlap_limits.py` wrote.
 * @returns null where it is nothing of the kind
 */
export function readLimits(value: unknown): MeasuredLimits | null {
  const fields = fieldsOf(value);
  const link = fieldsOf(fields['link GB/s']);
  const [down, up] = [rateOf(link['down']), rateOf(link['up'])];
  const rows = Array.isArray(fields['adam']) ? fields['adam'].map(adamOf) : [];
  const adam = rows.flatMap((row) => row ?? []);
  if (down === null || up === null || adam.length === 0 || adam.length < rows.length) return null;
  return { adam, linkGBps: Math.min(down, up) };
}

function adamOf(value: unknown): MeasuredAdam | null {
  const row = fieldsOf(value);
  const [threads, adamNs] = [rateOf(row['threads']), rateOf(row['in gradient, ns'])];
  if (threads === null || adamNs === null) return null;
  return {
    ...{ threads, adamNs },
    besideCopiesNs: rateOf(row['in gradient beside down+up, ns']),
    linkBesideGBps: rateOf(row['link beside it, down+up GB/s']),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function rateOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}

/**
 * The rates of a machine: of its profile, and what was measured beside it. Products are always the profile's
 * `achievableTflops`, the fastest that anybody measured on such a machine: a bound at the rate of
 * larger ones (680 TFLOPS on an H200, bench/README.md) could be beaten.
 * @returns what is missing, where no bound can be computed without it
 */
export function knownRates(
  profile: HardwareRates,
  limits: MeasuredLimits | null,
): KnownRates | { readonly missing: readonly string[] } {
  const { achievableTflops: products } = profile;
  const down = limits?.linkGBps ?? profile.d2hGBps;
  const up = limits?.linkGBps ?? profile.h2dGBps;
  const adam = limits?.adam ?? profileAdam(profile);
  if (products === null || down === null || up === null || adam.length === 0) {
    const missing = [
      ...(products === null ? ['matrix products'] : []),
      ...(adam.length === 0 ? ['CPU Adam'] : []),
      ...(down === null || up === null ? ['the link'] : []),
    ];
    return { missing };
  }
  const link = Math.min(down, up);
  const lacks = adam.some((each) => each.besideCopiesNs === null || each.linkBesideGBps === null)
    ? ['CPU Adam and the link were not measured at once: the bound takes each as if it were alone']
    : [];
  const rates = adam.map(({ adamNs, besideCopiesNs, linkBesideGBps }) => ({
    ...{ matmulFlopsPerSecond: products * 1e12, adamNs, linkGBps: link },
    adamBesideCopiesNs: besideCopiesNs ?? adamNs,
    linkBesideAdamGBps: linkBesideGBps ?? link,
  }));
  const best = adam.reduce((a, b) => (b.adamNs < a.adamNs ? b : a));
  return { rates, lacks, source: sourceText({ products, link, best }, limits !== null) };
}

function profileAdam({ adamNsPerParameter }: HardwareRates): readonly MeasuredAdam[] {
  return adamNsPerParameter === null
    ? []
    : [{ threads: 0, adamNs: adamNsPerParameter, besideCopiesNs: null, linkBesideGBps: null }];
}

function sourceText(
  { products, link, best }: { readonly products: number; readonly link: number; readonly best: MeasuredAdam },
  isMeasured: boolean,
): string {
  const { adamNs, besideCopiesNs, linkBesideGBps, threads } = best;
  const beside = besideCopiesNs === null ? '' : ` (${short(besideCopiesNs)} beside copies both ways)`;
  const linkBeside = linkBesideGBps === null ? '' : ` (${short(linkBesideGBps)} beside Adam)`;
  const by = isMeasured ? `, by bench/overlap_limits.py with ${threads} threads; products` : '; all';
  return `products at ${short(products)} TFLOPS, CPU Adam ${short(adamNs)} ns a parameter${beside}, the link ${short(link)} GB/s each way${linkBeside}${by} by the profile of the system`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
