import type { RunEnd } from '../../results/run-end.ts';
import { formatNumber } from '../../text/format.ts';
import { html, type Html, type HtmlValue } from '../../text/html.ts';
import { shownLine } from '../../text/plain.ts';

/** Ends that are no fault of the run. */
const untoned: readonly RunEnd[] = [
  'stopped_early',
  'interrupted',
  'cancelled',
  'incomplete',
  'unsupported',
  'time_limit',
  'preempted',
];

/** How an outcome is coloured; its word is always there too. */
function tone(outcome: RunEnd): string {
  if (outcome === 'ok') return 'ok';
  if (['gpu_oom', 'host_oom', 'shm_full'].includes(outcome)) return 'mem';
  return untoned.includes(outcome) ? '' : 'bad';
}

export function badge(outcome: RunEnd, count?: number): Html {
  const of = tone(outcome);
  return html`<span class="${of === '' ? 'b' : `b ${of}`}"
    >${count !== undefined && `${count} `}${outcome}</span
  >`;
}

/** A box with one large number. */
export function card(name: string, value: HtmlValue, more: HtmlValue = null): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}${more !== null && html`<small>${more}</small>`}</dd>
  </div>`;
}

/** Names and values; those without a value are left out. */
export function factList(facts: readonly (readonly [name: string, value: HtmlValue])[]): Html | null {
  const known = facts.filter(
    ([, value]) => value !== null && value !== undefined && value !== '' && value !== false,
  );
  if (known.length === 0) return null;
  return html`<dl class="facts">
    ${known.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${typeof value === 'string' ? shownLine(value, 300) : value}</dd>`,
    )}
  </dl>`;
}

/** A table in a box of its own, so that a phone scrolls the box and not the page; the box can be reached by keyboard. */
export function scrollBox(label: string, content: Html): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${content}</div>`;
}

export function orNothing(value: number | null): string {
  return value === null ? '' : formatNumber(value);
}

/** `2026-11-23 04:51:59`: the T and the fractions say nothing to a person. */
export function utcText(utc: string): string {
  return utc.replace('T', ' ').replace(/(?:\.\d+)?Z$/, '');
}
