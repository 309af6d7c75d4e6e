import type { GpuConditions } from '../../core/results/record.ts';
import { capture } from '../exec.ts';

const query =
  'clocks.sm,clocks.max.sm,power.limit,temperature.gpu,clocks_throttle_reasons.active,utilization.gpu,memory.used';

/** When samples are taken. The first one comes early: a short run shall have one under load. */
export interface GpuMonitorPace {
  readonly firstMs: number;
  readonly intervalMs: number;
}

const usualPace: GpuMonitorPace = { firstMs: 1_000, intervalMs: 5_000 };

/** One reading of one GPU; null where the driver answers "[N/A]". */
interface GpuSample {
  readonly smClockMhz: number | null;
  readonly maxSmClockMhz: number | null;
  readonly powerCapWatt: number | null;
  readonly temperatureC: number | null;
  readonly throttleMask: string;
  readonly utilization: number | null;
  readonly usedMiB: number | null;
}

/**
 * Bits of the driver's mask that slow a running card (nvml.h, nvmlClocksEventReasons). Idle, application clocks and
 * the display's setting are no throttling.
 */
const throttleBits: readonly (readonly [bit: bigint, name: string])[] = [
  [0x4n, 'software power cap'],
  [0x8n, 'hardware slowdown'],
  [0x20n, 'software thermal slowdown'],
  [0x40n, 'hardware thermal slowdown'],
  [0x80n, 'hardware power brake'],
];

/**
 * The devices of a run, as `nvidia-smi -i` takes them: those that CUDA_VISIBLE_DEVICES names (indices, UUIDs), else
 * the first ones. As CUDA does, the list is read up to the first entry that names nothing.
 */
export function devicesOfRun(visible: string | undefined, chips: number): string[] {
  if (visible === undefined) return Array.from({ length: chips }, (_, index) => String(index));
  const named = visible.split(',').map((word) => word.trim());
  const end = named.findIndex((word) => !/^(\d+|[A-Z]+-.+)$/.test(word));
  return (end === -1 ? named : named.slice(0, end)).slice(0, chips);
}

/** Samples clocks, temperature, throttling and memory of a run's GPUs with nvidia-smi until stopped. */
export class GpuMonitor {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #devices: readonly string[];
  readonly #pace: GpuMonitorPace;
  readonly #samples: GpuSample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #pending: Promise<void> = Promise.resolve();
  #stopped = false;
  #newestUsedMiB: number | null = null;

  /** @param chips how many GPUs the run uses */
  constructor(env: Readonly<Record<string, string | undefined>>, chips: number, pace = usualPace) {
    this.#env = env;
    this.#devices = devicesOfRun(env['CUDA_VISIBLE_DEVICES'], chips);
    this.#pace = pace;
  }

  /** Memory in use on the fullest of the devices at the newest sample, GiB. */
  get usedGiB(): number | null {
    return this.#newestUsedMiB === null ? null : this.#newestUsedMiB / 1024;
  }

  start(): void {
    if (this.#devices.length > 0) this.#schedule(this.#pace.firstMs);
  }

  async stop(): Promise<GpuConditions | null> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#pending;
    return summarize(this.#samples);
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#pending = this.#sample().then(() => {
        if (!this.#stopped) this.#schedule(this.#pace.intervalMs);
      });
    }, delayMs);
    this.#timer.unref();
  }

  async #sample(): Promise<void> {
    const devices = this.#devices.join(',');
    const command = ['nvidia-smi', '-i', devices, `--query-gpu=${query}`, '--format=csv,noheader,nounits'];
    const { stdout } = await capture(command, { env: this.#env, timeoutMs: usualPace.intervalMs });
    const round = stdout.split('\n').flatMap((line) => parseSample(line) ?? []);
    this.#samples.push(...round);
    this.#newestUsedMiB = highest(round.flatMap(({ usedMiB }) => usedMiB ?? []));
  }
}

function parseSample(line: string): GpuSample | null {
  const words = line.split(',').map((word) => word.trim());
  if (words.length !== query.split(',').length) return null;
  const number = (index: number): number | null => {
    const value = Number(words[index]);
    return words[index] === '' || Number.isNaN(value) ? null : value;
  };
  return {
    smClockMhz: number(0),
    maxSmClockMhz: number(1),
    powerCapWatt: number(2),
    temperatureC: number(3),
    throttleMask: words[4] ?? '',
    utilization: number(5),
    usedMiB: number(6),
  };
}

/** The clock of an idle card says nothing: only samples under load count. */
function summarize(samples: readonly GpuSample[]): GpuConditions | null {
  if (samples.length === 0) return null;
  const loaded = samples.filter((sample) => (sample.utilization ?? 0) > 0);
  const clocks = loaded.flatMap(({ smClockMhz }) => smClockMhz ?? []).sort((a, b) => a - b);
  return {
    smClockMhz: clocks[Math.floor(clocks.length / 2)] ?? null,
    maxSmClockMhz: samples[0]?.maxSmClockMhz ?? null,
    powerCapWatt: samples[0]?.powerCapWatt ?? null,
    maxTemperatureC: highest(samples.flatMap(({ temperatureC }) => temperatureC ?? [])),
    throttleReasons: throttleReasons(loaded.map(({ throttleMask }) => throttleMask)),
    samples: samples.length,
  };
}

function throttleReasons(masks: readonly string[]): string[] {
  const seen = masks
    .filter((mask) => /^0x[0-9a-f]+$/i.test(mask))
    .reduce((all, mask) => all | BigInt(mask), 0n);
  return throttleBits.filter(([bit]) => (seen & bit) !== 0n).map(([, name]) => name);
}

function highest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}
