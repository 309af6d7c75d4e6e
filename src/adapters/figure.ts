import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as resvg from '@resvg/resvg-js';
import type { VegaLiteSpec } from '../core/figures/render/drawing/draw.ts';
import { html } from '../core/text/html.ts';
import { SuperOffloadError } from '../errors.ts';

/** Draws a figure's specification. The libraries are large: they are loaded when the first picture is drawn. */

const fontFolder = new URL('../../experiment/figures/font/', import.meta.url);

/** Pixels of the PNG for one of the picture: sharp on a fine screen, and 300 dpi across 15 cm. */
const pngScale = 2;

/**
 * Draws a Vega-Lite specification that carries its data and its layout (core/figures/render/spec.ts). Equal
 * specifications give equal bytes: nothing is measured, fetched or counted here.
 * @returns an SVG that carries its font, with a title and a description for screen readers
 */
export async function drawSvg(spec: VegaLiteSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const logger = vega.logger(vega.None);
  const { spec: program } = vegaLite.compile(spec as never, { logger });
  const loader = { ...vega.loader(), load: refuse, sanitize: refuse };
  // Ids would go on counting from the picture before.
  vega.resetSVGDefIds();
  const view = new vega.View(vega.parse(program), { renderer: 'none', logger, loader });
  try {
    return withHead(await view.toSVG(), spec);
  } finally {
    view.finalize();
  }
}

/** A picture's data travel in its specification: an address in it is not ours. */
function refuse(address: string): Promise<never> {
  return Promise.reject(new Error(`a figure fetches nothing: ${address}`));
}

/**
 * What Vega leaves out: a role, a title and a description, and the font. Fonts of an SVG in an `<img>` must travel
 * inside it, and another font would run over the places that were computed for this one.
 */
function withHead(svg: string, { usermeta, description }: VegaLiteSpec): string {
  const title = titleOf(usermeta);
  const text = typeof description === 'string' ? description : '';
  const start = svg.indexOf('>') + 1;
  const head = html`<title>${title}</title><desc>${text}</desc>`;
  return `${svg.slice(0, start - 1)} role="img">${String(head)}${fontStyle()}${svg.slice(start)}`;
}

function titleOf(usermeta: unknown): string {
  const { title } = (usermeta ?? {}) as { readonly title?: unknown };
  return typeof title === 'string' ? title : 'Figure';
}

let style: string | undefined;

function fontStyle(): string {
  style ??= `<style>@font-face{font-family:Inter;src:url(data:font/woff2;base64,${readFileSync(new URL('Inter-Regular.woff2', fontFolder), 'base64')}) format("woff2")}</style>`;
  return style;
}

/**
 * Draws an SVG of {@link drawSvg} as a PNG, twice as large, with the shipped font and no other.
 * @throws SuperOffloadError 'environment' where the optional package that does it is not installed
 */
export async function drawPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await loadResvg();
  const picture = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: pngScale },
    font: {
      loadSystemFonts: false,
      fontFiles: [fileURLToPath(new URL('Inter-Regular.ttf', fontFolder))],
      defaultFontFamily: 'Inter',
      sansSerifFamily: 'Inter',
    },
  });
  return picture.render().asPng();
}

async function loadResvg(): Promise<typeof resvg> {
  try {
    return await import('@resvg/resvg-js');
  } catch (cause) {
    throw new SuperOffloadError({
      code: 'environment',
      message:
        'cannot draw PNG: the optional package @resvg/resvg-js has no build for this machine, or was left out',
      hint: 'leave png out of --formats (the SVG is the same picture), or: npm install @resvg/resvg-js@2.6.2',
      cause,
    });
  }
}
