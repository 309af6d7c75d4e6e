import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Html } from '../../../src/core/text/html.ts';
import { html, pathAddress, trusted, type HtmlValue } from '../../../src/core/text/html.ts';
import { anyText, hostileTexts } from '../report/hostile.ts';

const text = (value: HtmlValue): string => html`<p>${value}</p>`.toString();

describe('text in a page', () => {
  it('is escaped by the template itself', () => {
    expect(text('a < b & "c"')).toBe('<p>a &#60; b &#38; "c"</p>');
    expect(html`<a title="${'a" b<'}">x</a>`.toString()).toBe('<a title="a&#34; b&#60;">x</a>');
  });

  it('leaves markup of its own kind alone, at any depth of lists', () => {
    expect(text([html`<b>${'<'}</b>`, ['x', [html`<i></i>`]]])).toBe('<p><b>&#60;</b>x<i></i></p>');
  });

  it('writes nothing for null, undefined and false, and numbers as they are', () => {
    expect(text([null, undefined, false, 0, 1.5])).toBe('<p>01.5</p>');
  });

  it.each(hostileTexts.map((each) => [each.slice(0, 40), each]))('never becomes markup: %j', (_, hostile) => {
    expect(text(hostile).match(/<[^>]*>?/g)).toEqual(['<p>', '</p>']);
    const attribute = html`<a title="${hostile}" href="${hostile}">x</a>`.toString();
    expect(attribute.match(/"/g)).toHaveLength(4);
    expect(attribute.match(/[<>]/g)).toHaveLength(4);
    expect(attribute).not.toMatch(/href="[^"#.%/\w~-]/);
  });

  it('holds for any text whatever', () => {
    fc.assert(
      fc.property(anyText, (any) => {
        expect(text(any).slice(3, -4)).not.toMatch(/[<>]/);
        expect(html`<a title="${any}"></a>`.toString().slice(10, -6)).not.toMatch(/[<>"]/);

        expect(text(any)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]|\p{Surrogate}/u);
      }),
    );
  });
});

describe('what a template may not do', () => {
  const broken: readonly (readonly [string, () => Html])[] = [
    ['a value as an attribute', () => html`<a ${'x'}></a>`],
    ['a value without quotes', () => html`<a href=${'x'}></a>`],
    ['an event', () => html`<a onclick="${'x'}"></a>`],
    ['a style', () => html`<a style="${'x'}"></a>`],
    [
      'a script',
      () =>
        html`<script>
          ${'x'};
        </script>`,
    ],
    [
      'markup in a script',
      () =>
        html`<script>
          ${html`x`};
        </script>`,
    ],
    [
      'a style sheet',
      () =>
        html`<style>
          ${'x'}
        </style>`,
    ],
    ['markup in an attribute', () => html`<a title="${html`x`}"></a>`],
  ];
  it.each(broken)('%s', (_, make) => {
    expect(make).toThrow();
  });

  it('takes an object of a file for markup', () => {
    const forged = JSON.parse('{"markup":"<script>","toString":"x"}') as HtmlValue;
    expect(() => html`<p>${forged}</p>`.toString()).toThrow();
  });

  it('is not gone around: finished markup is made in four files alone', () => {
    const folder = join(import.meta.dirname, '../../../src');
    const users = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (file) =>
        file.endsWith('.ts') && /\btrusted\(|Html\.of\(/.test(readFileSync(join(folder, file), 'utf8')),
    );
    expect(users.sort()).toEqual([
      // A picture of this tool's own libraries, beside a table that html`` writes.
      'core/figures/render/text/figure-page.ts',
      'core/report/page/layout.ts',
      'core/report/svg.ts',
      'core/text/html.ts',
    ]);
  });
});

describe('an address', () => {
  it.each([
    ['javascript:alert(1)', '#'],
    ['JaVaScRiPt:alert(1)', '#'],
    ['data:text/html,x', '#'],
    ['https://example.invalid/', '#'],
    ['//example.invalid/', '#'],
    ['\\\\example.invalid', '#'],
    ['../runs/a-b_c.1/output.log', '../runs/a-b_c.1/output.log'],
    ['#main', '#main'],
  ])('%s is written as %s', (given, written) => {
    expect(html`<a href="${given}">x</a>`.toString()).toBe(`<a href="${written}">x</a>`);
  });

  it('of a path keeps every odd name a name', () => {
    const address = pathAddress('../a b/c:d/e?f#g/%2e%2e/<h>"\'/ü');
    expect(address).toBe('../a%20b/c%3Ad/e%3Ff%23g/%252e%252e/%3Ch%3E%22%27/%C3%BC');
    expect(html`<a href="${address}">x</a>`.toString()).toContain(address);
  });
});

describe('the layout of the source', () => {
  it('is not in the page, nor are end tags that may be left out', () => {
    const cell = html`<tr>
      <td>${1}</td>
      <td>${2}</td>
    </tr>`;
    expect(cell.toString()).toBe('<tr><td>1<td>2');
  });

  it('leaves values and markup from elsewhere as they are', () => {
    expect(html`<pre>${'a\n  b\n'}</pre>`.toString()).toBe('<pre>a\n  b\n</pre>');
    expect(html`<div>${trusted('<td> \n</td>')}</div>`.toString()).toBe('<div><td> \n</td></div>');
  });
});
