import { describe, expect, it } from 'vitest';
import { pictureFont, svgMarkup } from '../../../src/core/report/svg.ts';

const font =
  '<style>@font-face{font-family:Inter;src:url(data:font/woff2;base64,AAAA) format("woff2")}</style>';

describe('a picture in a page', () => {
  it('keeps what draws, makes ids its own, and leaves its font to the page', () => {
    const svg = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" class="m" width="5">${font}<defs><clipPath id="clip0"><rect x="1"/></clipPath></defs><g clip-path="url(#clip0)"><text aria-hidden="true">a &lt; b</text></g></svg>`;
    expect(svgMarkup(svg, 'f1-').toString()).toBe(
      '<svg width="5"><defs><clipPath id="f1-clip0"><rect x="1"/></clipPath></defs><g clip-path="url(#f1-clip0)"><text>a &lt; b</text></g></svg>',
    );
    expect(pictureFont(svg)).toContain('@font-face');
  });

  it.each([
    '<svg><script>x</script></svg>',
    '<svg><foreignObject></foreignObject></svg>',
    '<svg onload="x"></svg>',
    '<svg><a href="javascript:x"></a></svg>',
    '<svg><image href="http://x"/></svg>',
    '<svg><path fill="url(http://x)"/></svg>',
    '<svg><path style="x"/></svg>',
    '<svg><style>*{}</style></svg>',
    `<svg>${font.replace('AAAA', 'A")}*{}')}</svg>`,
    '<svg><!-- x --></svg>',
    '<svg><path d=x></svg>',
    '<svg><text>a < b</text></svg>',
  ])('is refused with anything else: %s', (svg) => {
    expect(() => svgMarkup(svg, 'f')).toThrow();
  });
});
