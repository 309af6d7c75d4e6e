import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browser, openPage, sizes, whyNone } from './open-page.ts';
import { hostileRuns, plainRuns, reportHome } from './report-home.ts';

const plain = reportHome(plainRuns);
const hostile = reportHome(hostileRuns());
const runPages = (out: string): string[] =>
  readdirSync(join(out, 'runs')).map((name) => join(out, 'runs', name));
const index = join(plain.out, 'index.html');
const hostileIndex = join(hostile.out, 'index.html');
const runPage = (number: number): string => runPages(plain.out)[number] ?? '';

beforeAll(async () => {
  if (whyNone !== '') return;
  await plain.write();
  await hostile.write();
});
afterAll(async () => {
  if (typeof browser !== 'string') await browser.close();
});

describe.skipIf(whyNone !== '')(`the report in a browser ${whyNone}`, () => {
  it('opens from a disk, asks for nothing else, and complains of nothing', async () => {
    const own = pathToFileURL(plain.out).href;
    for (const file of [index, ...runPages(plain.out)]) {
      const { page, requests, complaints, close } = await openPage(file);
      expect(complaints, file).toEqual([]);
      expect(requests.filter((url) => !url.startsWith(own) && !url.startsWith('data:font/'))).toEqual([]);
      // The first page stands alone.
      if (file === index) expect(requests.filter((url) => url.startsWith('file:'))).toHaveLength(1);
      expect(await page.locator('html').getAttribute('data-script')).toBe('on');
      await close();
    }
  });

  it('says at each step what it took, to the pointer and to the keyboard', async () => {
    const { page, close } = await openPage(runPage(0));
    const chart = page.locator('.chart svg').first();
    const tip = page.locator('#tip');
    expect(await tip.isVisible()).toBe(false);
    await chart.hover({ position: { x: 2, y: 20 } });
    expect(await tip.textContent()).toBe('step 1: 4 s, warm-up');
    await chart.focus();
    await page.keyboard.press('ArrowRight');
    expect(await tip.textContent()).toMatch(/^step 2: 1\.\d+ s$/);
    await page.keyboard.press('Escape');
    expect(await tip.isVisible()).toBe(false);
    await close();
  });

  it('says at each bar of a figure its value, interval, source and runs', async () => {
    const { page, close } = await openPage(index);
    const bars = page.locator('.pic svg [data-tip*="runs: "]');
    expect(await bars.count()).toBeGreaterThan(2);
    await bars.first().hover();
    const said = (await page.locator('#tip').textContent()) ?? '';
    for (const part of [/TFLOPS/, /\d to \d/, /measured/, /runs: \d{8}T/]) expect(said).toMatch(part);
    await close();
  });

  it('filters runs and figures', async () => {
    const { page, complaints, close } = await openPage(index);
    const rows = page.locator('#runs tbody tr:not([hidden])');
    const choose = (name: string, value: string): Promise<unknown> =>
      page
        .locator('.filters label', { hasText: new RegExp(`^${name}`) })
        .locator('select')
        .selectOption(value);
    const reset = page.getByRole('button', { name: 'Show all' });
    expect(await rows.count()).toBe(5);
    await choose('mode', 'prism');
    expect(await rows.count()).toBe(2);
    expect(await page.locator('.pic [data-dim]').count()).toBeGreaterThan(0);
    await choose('system', 'gh200');
    expect(await rows.count()).toBe(1);
    expect(await page.locator('figure[data-system]:visible').count()).toBe(
      await page.locator('figure[data-system="gh200"]').count(),
    );
    await reset.click();
    expect(await page.locator('.pic [data-dim]').count()).toBe(0);
    await choose('outcome', 'gpu_oom');
    expect(await rows.count()).toBe(1);
    await reset.click();
    await page.getByLabel('any text').fill('THROTTLED');
    expect(await rows.count()).toBe(1);
    expect(await page.locator('#filters output').textContent()).toBe('1 of 5 runs');
    expect(complaints).toEqual([]);
    await close();
  });

  it('sorts by a column, numbers as numbers, what is not known last', async () => {
    const { page, close } = await openPage(index);
    await page.getByRole('button', { name: 's/step' }).click();
    const place = (await page.locator('#runs thead th').allTextContents()).indexOf('s/step');
    const cells = await page.locator(`#runs tbody tr>:nth-child(${place + 1})`).allTextContents();
    const known = cells.filter((text) => text !== '').map(Number);
    expect(known).toHaveLength(4);
    expect(known).toEqual([...known].sort((a, b) => a - b));
    expect(cells.at(-1)).toBe('');
    await close();
  });

  it('shows everything without JavaScript', async () => {
    const { page, go, close } = await openPage(index, { javaScriptEnabled: false });
    expect(await page.locator('#runs tbody tr:visible').count()).toBe(5);
    expect(await page.locator('.pic svg:visible').count()).toBeGreaterThan(0);
    expect(await page.locator('.filters').count()).toBe(0);
    await go(runPage(0));
    expect(await page.locator('.chart svg:visible').count()).toBe(2);
    await page.locator('summary').first().click();
    expect(await page.locator('.vals:visible').count()).toBe(1);
    await close();
  });

  it.each(Object.entries(sizes))('never scrolls sideways: %s', async (_, viewport) => {
    const opened = await openPage(index, { viewport, javaScriptEnabled: true });
    for (const file of [index, hostileIndex, runPage(0), runPage(3), ...runPages(hostile.out)]) {
      await opened.go(file);
      expect(await opened.ask('width'), file).toBeLessThanOrEqual(viewport.width);
    }
    await opened.close();
  });

  it('runs nothing that a record holds', async () => {
    const opened = await openPage(hostileIndex);
    for (const file of [hostileIndex, ...runPages(hostile.out)]) {
      await opened.go(file);
      expect(await opened.ask('provoke'), file).toEqual({ hacked: null, protocols: ['file:'] });
    }
    // The policy had nothing to refuse: no markup got in at all.
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });

  it.each(['light', 'dark'] as const)('has WCAG AA contrast for every text: %s', async (colorScheme) => {
    const opened = await openPage(index, { colorScheme });
    for (const file of [index, runPage(0), runPage(2), runPage(3)]) {
      await opened.go(file);
      const { faults, checked } = await opened.ask<{ faults: string[]; checked: number }>('contrastFaults');
      expect(faults, file).toEqual([]);
      expect(checked).toBeGreaterThan(50);
    }
    await opened.close();
  });

  it.each(['light', 'dark'] as const)('has no fault that axe knows: %s', async (colorScheme) => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const opened = await openPage(index, { colorScheme, bypassCSP: true });
    for (const file of [index, runPage(0), runPage(3)]) {
      await opened.go(file);
      await opened.page.evaluate(axe);
      expect(await opened.ask('axeFaults'), file).toEqual([]);
    }
    await opened.close();
  });
});

describe.skipIf(whyNone !== '')(`the report looks as it was looked at ${whyNone}`, () => {
  const font = readFileSync(join(process.cwd(), 'experiment/figures/font/Inter-Regular.ttf'), 'base64');
  const shipped = `@font-face{font-family:Shipped;src:url(data:font/ttf;base64,${font})}*{font-family:Shipped!important}`;

  it.each([
    ['index-phone', 'index', 'phone', 'light'],
    ['index-desk', 'index', 'desk', 'dark'],
    ['run-phone', 'run', 'phone', 'dark'],
    ['run-desk', 'run', 'desk', 'light'],
  ] as const)('%s', async (name, which, size, colorScheme) => {
    const viewport = sizes[size];
    const opened = await openPage(which === 'index' ? index : runPage(0), {
      viewport,
      colorScheme,
      bypassCSP: true,
    });
    // Machines have other fonts: that of the figures is the same everywhere.
    await opened.page.addStyleTag({ content: shipped });
    await opened.page.evaluate('document.fonts.ready.then(() => undefined)');
    const clip = { x: 0, y: 0, width: viewport.width, height: 800 };
    const picture = (await opened.page.screenshot({ clip, fullPage: true })).toString('base64');
    const stored = join(import.meta.dirname, 'pictures', `${name}.png`);
    if (process.env['UPDATE_GOLDEN'] === '1') {
      mkdirSync(join(stored, '..'), { recursive: true });
      writeFileSync(stored, picture, 'base64');
    }
    expect(existsSync(stored), `${stored}: make it with UPDATE_GOLDEN=1, and look at it`).toBe(true);
    const share = await opened.ask<number>('pictureDifference', readFileSync(stored, 'base64'), picture);
    const seen = join(tmpdir(), `superoffload-report-${name}.png`);
    if (share > 0.01) writeFileSync(seen, picture, 'base64');
    expect(share, `share of the picture that differs; what was drawn is ${seen}`).toBeLessThanOrEqual(0.01);
    await opened.close();
  });
});
