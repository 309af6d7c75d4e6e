import { trusted, type Html } from '../text/html.ts';

const elements = new Set(
  'svg g path text tspan rect line circle title desc defs clipPath polygon polyline ellipse'.split(' '),
);
const attribute =
  /^(?:aria-label|aria-roledescription|role|id|viewBox|width|height|x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|d|dx|dy|points|transform|display|fill|fill-opacity|fill-rule|stroke|stroke-[a-z]+|opacity|font-[a-z]+|text-anchor|dominant-baseline|clip-path|clip-rule|preserveAspectRatio)$/;
/** Names that draw nothing in a page: of namespaces, of a style sheet that it has not, of what is said elsewhere. */
const needless = /^(?:xmlns(?::\w+)?|version|class|aria-hidden|pointer-events|stroke-miterlimit|xml:space)$/;
const fontFace =
  /<style>(@font-face\{font-family:[\w ]+;src:url\(data:font\/woff2;base64,[A-Za-z0-9+/=]+\) format\("woff2"\)\})<\/style>/;

/** @returns the font that a picture carries, as a style sheet; a page with several pictures needs it once. */
export function pictureFont(svg: string): string | null {
  return fontFace.exec(svg)?.[1] ?? null;
}

/**
 * A picture that a library drew, as part of a page. Text of a run is in it, so nothing is taken on trust: of elements
 * and attributes only those that draw are let through, and ids are made the picture's own. Its font is left to the page.
 * @param prefix of its ids: two pictures of one page may both have a `clip0`
 * @throws Error (a bug) for anything else in it
 */
export function svgMarkup(svg: string, prefix: string): Html {
  const body = svg.replace(fontFace, '').replace(/^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!DOCTYPE[^>]*>\s*)?/i, '');
  const piece = /([^<]+)|<(\/?)([A-Za-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/y;
  let checked = '';
  while (piece.lastIndex < body.length) {
    const from = piece.lastIndex;
    const match = piece.exec(body);
    if (match === null) throw new Error(`not a picture: ${body.slice(from, from + 60)}`);
    const [, text, slash = '', name = '', attributes = '', end = ''] = match;
    checked += text ?? `<${slash}${checkedName(name)}${checkedAttributes(attributes, prefix)}${end}>`;
  }
  return trusted(checked);
}

function checkedName(name: string): string {
  if (!elements.has(name)) throw new Error(`a picture may not hold <${name}>`);
  return name;
}

function checkedAttributes(attributes: string, prefix: string): string {
  return [...attributes.matchAll(/\s+([\w:-]+)="([^"]*)"/g)]
    .map(([, name = '', value = '']) => {
      if (needless.test(name)) return '';
      if (!attribute.test(name)) throw new Error(`a picture may not have ${name}`);
      if (/url\((?!#)/i.test(value)) throw new Error(`a picture may not load ${value}`);
      if (name === 'id') return ` id="${prefix}${value}"`;
      return ` ${name}="${value.replaceAll('url(#', `url(#${prefix}`)}"`;
    })
    .join('');
}
