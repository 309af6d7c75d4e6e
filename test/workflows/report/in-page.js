/**
 * What runs inside the browser's page, sent there as text: plain JavaScript, because the program's own types know no
 * page (tsconfig.json has no `dom`, so that nothing of it slips into src).
 */
globalThis.inPage = {
  /** Every visible text of the page against what lies behind it, by WCAG 2.1, 1.4.3: 4.5, or 3 for large text. */
  contrastFaults() {
    for (const each of document.querySelectorAll('details')) each.open = true;
    const channel = (value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const parse = (colour) =>
      (/^rgba?\(([^)]*)\)/.exec(colour)?.[1] ?? '0,0,0,0').split(/[,/ ]+/).map(Number);
    const over = (top, below) =>
      [0, 1, 2].map((i) => top[i] * (top[3] ?? 1) + below[i] * (1 - (top[3] ?? 1)));
    const behind = (element) => {
      if (element === null) return parse(getComputedStyle(document.body).backgroundColor);
      const own = parse(getComputedStyle(element).backgroundColor);
      return (own[3] ?? 1) === 1 ? own : over(own, behind(element.parentElement));
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faults = [];
    let checked = 0;
    while (walker.nextNode() !== null) {
      const element = walker.currentNode.parentElement;
      const text = walker.currentNode.textContent.trim();
      if (text === '' || ['SCRIPT', 'STYLE', 'title', 'desc'].includes(element.tagName)) continue;
      if (!element.checkVisibility()) continue;
      const style = getComputedStyle(element);
      const below = behind(element);
      const ink = over(parse(element instanceof SVGElement ? style.fill : style.color), below);
      const [light, dark] = [luminance(ink), luminance(below)].sort((a, b) => b - a);
      const ratio = (light + 0.05) / (dark + 0.05);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      checked += 1;
      if (ratio < (isLarge ? 3 : 4.5))
        faults.push(`${ratio.toFixed(2)} ${ink} on ${below}: ${text.slice(0, 60)}`);
    }
    return { checked, faults };
  },

  /**
   * The share of 8 x 8 blocks whose mean colours differ visibly: another version of a browser smooths edges otherwise,
   * and moves nothing. Done by the browser itself, so that no library for PNG is needed.
   */
  async pictureDifference(expected, picture) {
    const block = 8;
    const means = async (base64) => {
      const image = new Image();
      image.src = `data:image/png;base64,${base64}`;
      await image.decode();
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [image.width, image.height];
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, image.width, image.height);
      const across = Math.ceil(image.width / block);
      const sums = new Array(across * Math.ceil(image.height / block) * 3).fill(0);
      for (let at = 0; at < data.length; at += 4) {
        const [x, y] = [(at / 4) % image.width, Math.floor(at / 4 / image.width)];
        const to = (Math.floor(y / block) * across + Math.floor(x / block)) * 3;
        for (let i = 0; i < 3; i += 1) sums[to + i] += data[at + i] / (block * block);
      }
      return { width: image.width, height: image.height, sums };
    };
    const [a, b] = [await means(expected), await means(picture)];
    if (a.width !== b.width || a.height !== b.height) return 1;
    let differing = 0;
    for (let at = 0; at < a.sums.length; at += 3) {
      if ([0, 1, 2].some((i) => Math.abs(a.sums[at + i] - b.sums[at + i]) > 24)) differing += 1;
    }
    return differing / (a.sums.length / 3);
  },

  /** Moves over and into everything: what waits for a pointer or the focus must not be there either. */
  provoke() {
    for (const each of document.querySelectorAll('*')) {
      for (const type of ['mouseover', 'focus', 'pointermove', 'load', 'error', 'toggle']) {
        each.dispatchEvent(new Event(type));
      }
    }
    return {
      hacked: window.hacked === undefined ? null : String(window.hacked),
      protocols: [...new Set([...document.links].map(({ protocol }) => protocol))],
    };
  },

  /** How wide the page would like to be, pixels. */
  width: () => document.documentElement.scrollWidth,

  async axeFaults() {
    const { violations } = await window.axe.run();
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' ')}`,
    );
  },
};
