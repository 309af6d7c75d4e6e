import type { GpuConditions } from '../../core/results/record.ts';
import { capture } from '../exec.ts';

const intervalMs = 5_000;
const query =
  'clocks.sm,clocks.max.sm,power.limit,temperature.gpu,clocks_throttle_reasons.active,utilization.gpu';

/** One reading of one GPU; null where the driver answers "[N/A]". */
interface GpuSample {
  readonly smClockMhz: number | null;
  readonly maxSmClockMhz: number | null;
  readonly powerCapWatt: number | null;
  readonly temperatureC: number | null;
  readonly throttleMask: string;
  readonly utilization: number | null;
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

/** Samples clocks, temperature and throttling with nvidia-smi until stopped. */
export class GpuMonitor {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #samples: GpuSample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #pending: Promise<void> = Promise.resolve();

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#pending = this.#sample();
    }, intervalMs);
    this.#timer.unref();
  }

  async stop(): Promise<GpuConditions | null> {
    clearInterval(this.#timer);
    await this.#pending;
    return summarize(this.#samples);
  }

  async #sample(): Promise<void> {
    const command = ['nvidia-smi', `--query-gpu=${query}`, '--format=csv,noheader,nounits'];
    const { stdout } = await capture(command, { env: this.#env, timeoutMs: intervalMs });
    for (const line of stdout.split('\n')) {
      const sample = parseSample(line);
      if (sample !== null) this.#samples.push(sample);
    }
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
