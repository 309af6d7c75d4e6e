import { html, trusted, type Html, type HtmlValue } from '../../text/html.ts';
import { pageScript } from './script.ts';
import { pageStyle } from './style.ts';

/** Style and script of all run pages, beside them: a thousand copies would be most of a report. */
export const sharedFiles = { style: 'report.css', script: 'report.js' } as const;

interface Page {
  readonly title: string;
  readonly body: HtmlValue;
  readonly footer: HtmlValue;
}

/**
 * A page with its style, script and font in it, and allowed to use these and nothing else, from anywhere.
 * @param more style of this page alone
 * @param font a style sheet that holds it; null where no picture needs one
 * @param sha256Of of a text, in base64
 */
export function wholePage(
  page: Page,
  more: string,
  font: string | null,
  sha256Of: (text: string) => string,
): Html {
  const style = pageStyle + more + (font ?? '');
  const policy =
    `default-src 'none'; style-src 'sha256-${sha256Of(style)}'; ${font === null ? '' : 'font-src data:; '}` +
    `script-src 'sha256-${sha256Of(pageScript)}'; base-uri 'none'; form-action 'none'`;
  const head = trusted(`<style>${style}</style>`);
  return pageOf(page, policy, head, trusted(`<script>${pageScript}</script>`));
}

/**
 * A page whose style and script are files of the report.
 * @param up the address of the report's folder from the page: `../`
 */
export function linkedPage(page: Page, up: string): Html {
  const policy =
    "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; form-action 'none'";
  const style = html`<link rel="stylesheet" href="${up + sharedFiles.style}" />`;
  return pageOf(page, policy, style, html`<script src="${up + sharedFiles.script}"></script>`);
}

function pageOf({ title, body, footer }: Page, policy: string, head: Html, end: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${policy}" />
      <meta name="viewport" content="width=device-width,initial-scale=1" />
      <title>${title}</title>
      ${head}
      <body>
        ${body}
        <footer>${footer}</footer>
        ${end}
      </body>
    </html> `;
}
