import { plainText } from './plain.ts';

/**
 * The one place where text becomes markup. {@link html} escapes every value by where it stands: forgetting is not
 * possible, because a string that was not escaped is not {@link Html} and there is no other way to write a page.
 */

/** Finished markup. Made by {@link html}, and by {@link trusted} from text of this package alone. */
export class Html {
  readonly #markup: string;
  private constructor(markup: string) {
    this.#markup = markup;
  }
  static of(markup: string): Html {
    return new Html(markup);
  }
  toString(): string {
    return this.#markup;
  }
}

/** What may stand in a template: null, undefined and false write nothing. */
export type HtmlValue = string | number | Html | null | undefined | false | readonly HtmlValue[];

/** Markup that did not pass through {@link html}: style, script and pictures that this tool wrote itself. */
export function trusted(markup: string): Html {
  return Html.of(markup);
}

/**
 * @throws Error (a bug) for a hole where no value can be made safe: outside quotes in a tag, in `on...` or `style`
 * attributes, in a script or a style.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let template = known.get(parts);
  if (template === undefined) {
    template = { parts: parts.map(shortened), places: placesOf(parts) };
    known.set(parts, template);
  }
  let markup = template.parts[0] ?? '';
  for (const [index, value] of values.entries()) {
    markup += write(value, template.places[index] ?? 'text') + (template.parts[index + 1] ?? '');
  }
  return Html.of(markup);
}

type Place = 'text' | 'attribute' | 'address';
interface Template {
  readonly parts: readonly string[];
  /** Of each hole. */
  readonly places: readonly Place[];
}
const known = new WeakMap<TemplateStringsArray, Template>();

const blocks =
  'html|head|meta|link|title|body|header|nav|main|footer|section|h1|h2|h3|p|dl|dt|dd|ul|li|div|figure|figcaption|' +
  'table|caption|thead|tbody|tr|th|td|details|summary|svg|g|path|rect|circle|script|style';
const optionalEnd = /\s*<\/(?:td|th|tr|dt|dd|li)\s*>/g;
const beforeBlock = new RegExp(`\\s*\\n\\s*(?=</?(?:${blocks})\\b)`, 'g');
const afterBlock = new RegExp(`(</?(?:${blocks})(?:\\s[^<>]*)?>)\\s*\\n\\s*`, 'g');

/**
 * Templates are laid out for whoever reads the source. A page of a thousand rows has no use for that, nor for end tags
 * that HTML lets one leave out (HTML, 13.1.2.4).
 */
function shortened(part: string): string {
  return part
    .replace(/\s*\n\s*>/g, '>')
    .replace(/\s*\/>/g, '/>')
    .replace(optionalEnd, '')
    .replace(beforeBlock, '')
    .replace(afterBlock, '$1')
    .replace(/\s*\n\s*/g, ' ');
}

function write(value: HtmlValue, place: Place): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Html) {
    if (place === 'text') return value.toString();
    throw new Error('markup cannot stand in an attribute');
  }
  if (typeof value === 'object') return value.map((each) => write(each, place)).join('');
  const text = plainText(String(value));
  if (place === 'text') return text.replace(/[&<>]/g, escapeOf);
  return (place === 'address' ? safeAddress(text) : text).replace(/[&<>"]/g, escapeOf);
}

function escapeOf(character: string): string {
  return `&#${character.charCodeAt(0)};`;
}

/** An address with a scheme could be a script: only relative ones are written. */
function safeAddress(text: string): string {
  return /^(?!\/\/)[\w./#%~-]*$/.test(text) ? text : '#';
}

/** A relative address: each part of the path encoded, so that no name in it can be a scheme, a query or a fragment. */
export function pathAddress(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(plainText(part)).replace(/[!'()*]/g, percent))
    .join('/');
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

const addressNames = new Set(['href', 'src', 'action', 'formaction', 'xlink:href', 'data', 'poster']);

/** Where each hole stands, from the template's own text: a small reading of HTML, enough for what we write. */
function placesOf(parts: readonly string[]): Place[] {
  let state: 'text' | 'tag' | 'quoted' | 'raw' = 'text';
  let tag = '';
  let attribute = '';
  const token = /<\/?([A-Za-z][\w-]*)|([^\s"<>=/]+)\s*=\s*"|"|>/g;
  return parts.slice(0, -1).map((part) => {
    for (const [text, opened, named] of part.matchAll(token)) {
      if (state === 'quoted') {
        if (text.endsWith('"')) state = 'tag';
      } else if (state === 'raw') {
        if (text.startsWith('</') && opened === tag) [state, tag] = ['tag', ''];
      } else if (opened !== undefined && state === 'text') {
        [state, tag] = ['tag', text.startsWith('</') ? '' : opened.toLowerCase()];
      } else if (state === 'tag' && named !== undefined) {
        [state, attribute] = ['quoted', named.toLowerCase()];
      } else if (state === 'tag' && text === '>')
        state = tag === 'script' || tag === 'style' ? 'raw' : 'text';
    }
    return placeOf(state, attribute, part);
  });
}

function placeOf(state: 'text' | 'tag' | 'quoted' | 'raw', attribute: string, part: string): Place {
  if (state === 'text') return state;
  const unsafe = state !== 'quoted' || attribute === 'style' || attribute.startsWith('on');
  if (unsafe) throw new Error(`a value may not stand after: ${part.slice(-40)}`);
  return addressNames.has(attribute) ? 'address' : 'attribute';
}
