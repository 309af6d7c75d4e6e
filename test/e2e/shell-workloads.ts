/** Small shell programs that print Megatron's log lines: real processes that cost milliseconds. */

interface StepOptions {
  readonly from?: number;
  readonly to: number;
  /** What the log claims it will do; `to` unless said. */
  readonly planned?: number;
  /** Seconds of sleep after each step. */
  readonly pause?: number;
}

/** Shell code that prints the line of iteration `$i`, 20 ms as the log says. */
function printStep(planned: number): string {
  const line =
    ' iteration %8d/%8d | consumed samples: 8 | elapsed time per iteration (ms): 20.%d | global batch size: 8 | ' +
    'lm loss: 1.0E+01 | loss scale: 1.0 | number of skipped iterations: 0 | number of nan iterations: 0 |\\n';
  return `printf '${line}' $i ${planned} $((i % 7))`;
}

/** @returns shell code that prints the iterations `from` to `to` */
export function steps({ from = 1, to, planned = to, pause = 0.01 }: StepOptions): string {
  return `i=${from}; while [ $i -le ${to} ]; do ${printStep(planned)}; i=$((i+1)); sleep ${pause}; done`;
}

/** The same, but it ends after the step in which a file `stop` appears in its folder, as the built-in trainer does. */
export function obedientSteps(to: number): string {
  return `i=1; while [ $i -le ${to} ] && ! [ -e stop ]; do ${printStep(to)}; i=$((i+1)); sleep 0.01; done`;
}

export const finish = "echo '[after training is done] datetime: 2026-01-02 03:04:05'";

/** argv that measures a piece of shell code. */
export function measure(code: string, flags: readonly string[] = []): string[] {
  return ['throughput', '--workload', 'command', ...flags, '--', 'sh', '-c', code];
}
