import { readFile } from 'node:fs/promises';
import { hostMemoryOf } from '../probe/numa.ts';
import { processesOfRun } from '../processes.ts';

const gib = 2 ** 30;
/** Reading PSS walks page tables: it may take at most this share of the time between two samples. */
const maxCostShare = 0.01;
const minIntervalMs = 1_000;

export interface HostMemoryPeaks {
  /** Highest sum of PSS over the run's processes, GiB: memory shared among them is counted once. */
  readonly runGiB: number | null;
  /** Highest rise of the machine's memory in use over its start, GiB. */
  readonly machineGiB: number | null;
  /** Highest memory in use on the whole machine, GiB. */
  readonly machineTotalGiB: number | null;
}

/** Samples host memory until stopped. The first sample is taken at once, so that short runs have one. */
export class HostMemoryMonitor {
  readonly #runId: string;
  readonly #measureRun: boolean;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #runBytes: number | null = null;
  #machineStart: number | null = null;
  #machinePeak: number | null = null;
  #machineNow: number | null = null;

  /** @param measureRun false where the workload reports its own peak: the walk is not done twice */
  constructor(runId: string, measureRun: boolean) {
    this.#runId = runId;
    this.#measureRun = measureRun;
  }

  /** Memory in use on the whole machine at the newest sample, GiB. */
  get machineNowGiB(): number | null {
    return this.#machineNow === null ? null : this.#machineNow / gib;
  }

  async start(): Promise<void> {
    this.#machineStart = await machineUsedBytes();
    this.#machineNow = this.#machineStart;
    this.#machinePeak = this.#machineStart;
    this.#schedule(minIntervalMs / 4);
  }

  async stop(): Promise<HostMemoryPeaks> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#sampleMachine();
    return {
      runGiB: this.#runBytes === null ? null : this.#runBytes / gib,
      machineGiB:
        this.#machinePeak === null || this.#machineStart === null
          ? null
          : (this.#machinePeak - this.#machineStart) / gib,
      machineTotalGiB: this.#machinePeak === null ? null : this.#machinePeak / gib,
    };
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#sample(), delayMs);
    this.#timer.unref();
  }

  async #sample(): Promise<void> {
    const start = performance.now();
    await this.#sampleMachine();
    if (this.#measureRun) {
      const bytes = await proportionalBytes(processesOfRun(this.#runId));
      if (bytes !== null) this.#runBytes = Math.max(this.#runBytes ?? 0, bytes);
    }
    const costMs = performance.now() - start;
    if (!this.#stopped) this.#schedule(Math.max(minIntervalMs, costMs / maxCostShare));
  }

  async #sampleMachine(): Promise<void> {
    const used = await machineUsedBytes();
    this.#machineNow = used;
    if (used !== null) this.#machinePeak = Math.max(this.#machinePeak ?? 0, used);
  }
}

/** MemTotal - MemAvailable of the host, bytes; null where /proc/meminfo does not exist. */
async function machineUsedBytes(): Promise<number | null> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const { totalBytes, availableBytes } = hostMemoryOf(text);
  return totalBytes === 0 || availableBytes === 0 ? null : totalBytes - availableBytes;
}

/** Sum of the processes' proportional set sizes, bytes; null where none could be read. */
async function proportionalBytes(pids: readonly number[]): Promise<number | null> {
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      const match = /^Pss:\s+(\d+) kB/m.exec(rollup);
      return match?.[1] === undefined ? null : Number(match[1]) * 1024;
    }),
  );
  const known = sizes.filter((size) => size !== null);
  return known.length === 0 ? null : known.reduce((sum, size) => sum + size, 0);
}
