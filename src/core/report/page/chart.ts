import { formatNumber } from '../../text/format.ts';
import { html, type Html } from '../../text/html.ts';

/** A series of one run over its steps. All values in `unit`; not-finite ones are left out of the picture. */
export interface StepSeries {
  readonly title: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** The first so many do not count. */
  readonly warmUp: number;
  readonly median: number | null;
  readonly interval: { readonly low: number; readonly high: number; readonly label: string } | null;
}

/** The picture's own units; across it is one a point. It is stretched to the place that it gets, its lines and dots are not. */
const height = 99;
/** More points than these would stand in each other's way. */
const maxPoints = 400;
const maxDots = 150;

/** A line of dots with warm-up, median and interval; its numbers are below it as text, for who cannot see or hover it. */
export function stepChart(series: StepSeries): Html {
  const { values, every } = thinned(series.values);
  const warmUp = Math.floor(series.warmUp / every);
  const axis = axisOf(values.slice(warmUp).some(Number.isFinite) ? values.slice(warmUp) : values);
  const { title, unit } = series;
  const label = `${title} of ${series.values.length} steps, ${formatNumber(axis.low)} to ${formatNumber(axis.high)} ${unit}`;
  return html`<figure class="chart">
    <figcaption>${title}, ${unit}</figcaption>
    <div class="plot">
      <div class="yl">${axis.ticks.map((tick) => html`<span>${formatNumber(tick)}</span>`)}</div>
      <svg
        viewBox="0 0 ${Math.max(1, values.length - 1)} ${height}"
        preserveAspectRatio="none"
        role="img"
        aria-label="${label}"
      >
        ${picture(series, values, warmUp, axis)}
      </svg>
      <div class="xl"><span>step 1</span><span>${series.values.length}</span></div>
    </div>
    ${key(series, every)}
    <details>
      <summary>All values</summary>
      <p class="vals">${values.map(fourDigits).join(' ')}</p>
    </details>
  </figure>`;
}

interface Axis {
  readonly low: number;
  readonly high: number;
  /** Top first. */
  readonly ticks: readonly number[];
}

/** Three round numbers that hold all values; a run's noise is what is looked at, so it need not begin at 0. */
function axisOf(values: readonly number[]): Axis {
  const known = values.filter(Number.isFinite);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  if (known.length === 0) return { low: 0, high: 2, ticks: [2, 1, 0] };
  let power = 10 ** Math.floor(Math.log10(Math.max((most - least) / 2, Math.abs(most) * 1e-3, 1e-9)));
  for (; ; power *= 10) {
    for (const factor of [1, 1.5, 2, 2.5, 3, 4, 5, 7.5]) {
      const step = factor * power;
      const low = Math.floor((2 * least) / step) * (step / 2);
      if (low + 2 * step >= most) {
        const round = (value: number): number => Number(value.toPrecision(12));
        return {
          low: round(low),
          high: round(low + 2 * step),
          ticks: [low + 2 * step, low + step, low].map(round),
        };
      }
    }
  }
}

function picture(series: StepSeries, values: readonly number[], warmUp: number, axis: Axis): Html {
  const yOf = (value: number): number =>
    Math.min(height, Math.max(0, Math.round(height * (1 - (value - axis.low) / (axis.high - axis.low)))));
  const points = values.map((value, index) => (Number.isFinite(value) ? `${index} ${yOf(value)}` : null));
  const line = points.map((point, index) =>
    point === null ? '' : `${(points[index - 1] ?? null) === null ? 'M' : 'L'}${point}`,
  );
  const dots = (from: number, to: number): string => {
    const places = points.slice(from, to).filter((point) => point !== null);
    return places.map((point) => `M${point}h0`).join('');
  };
  const { interval, median } = series;
  const width = Math.max(1, values.length - 1);
  const [top, bottom] = interval === null ? [0, 0] : [yOf(interval.high), yOf(interval.low)];
  return html`${
    interval !== null && html`<path class="iv" d="M0 ${top}h${width}V${Math.max(top + 1, bottom)}H0" />`
  }${median !== null && html`<path class="med" d="M0 ${yOf(median)}h${width}" />`}${
    values.length > maxDots
      ? html`<path d="${line.join('')}" />`
      : html`<path class="dots" d="${dots(warmUp, values.length)}" />`
  }${warmUp > 0 && html`<path class="wd" d="${dots(0, warmUp)}" />`}`;
}

function key({ warmUp, median, interval, unit, values }: StepSeries, every: number): Html | null {
  const slowest = values.slice(0, warmUp).reduce((most, value) => Math.max(most, value), 0);
  const items = [
    every > 1 && html`<li>each point is the largest of ${every} steps</li>`,
    warmUp > 0 &&
      html`<li><i class="wd"></i>${warmUp} of warm-up, up to ${formatNumber(slowest)} ${unit}</li>`,
    median !== null && html`<li><i class="med"></i>median ${formatNumber(median)} ${unit}</li>`,
    interval !== null && html`<li><i class="iv"></i>${interval.label}</li>`,
  ].filter((item) => item !== false);
  return items.length === 0
    ? null
    : html`<ul class="key">
        ${items}
      </ul>`;
}

/** Of a long run each point is the largest of some steps: spikes stay. */
function thinned(values: readonly number[]): { readonly values: readonly number[]; readonly every: number } {
  const every = Math.ceil(values.length / maxPoints);
  if (every <= 1) return { values, every: 1 };
  const points = Array.from({ length: Math.ceil(values.length / every) }, (_, index) => {
    const group = values.slice(index * every, (index + 1) * every).filter(Number.isFinite);
    return group.length === 0 ? Number.NaN : Math.max(...group);
  });
  return { values: points, every };
}

function fourDigits(value: number): string {
  return Number.isFinite(value) ? formatNumber(value) : '-';
}
