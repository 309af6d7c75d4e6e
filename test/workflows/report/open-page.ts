import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { startBrowser } from '../../browser.ts';

export const browser = await startBrowser();
/** Why nothing can be opened here; empty where it can. */
export const whyNone = typeof browser === 'string' ? browser : '';

export const sizes = { phone: { width: 320, height: 640 }, desk: { width: 1280, height: 900 } } as const;

export interface Opened {
  readonly page: Page;
  /** What the page asked for, and what it complained about: errors, and what its policy refused. */
  readonly requests: string[];
  readonly complaints: string[];
  /** Calls a function of in-page.js, with arguments that JSON holds. */
  readonly ask: <T>(name: string, ...args: readonly unknown[]) => Promise<T>;
  readonly go: (file: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

const inPage = readFileSync(join(import.meta.dirname, 'in-page.js'), 'utf8');

/** Opens a file of the report as a person does: from the disk. */
export async function openPage(file: string, options: BrowserContextOptions = {}): Promise<Opened> {
  if (typeof browser === 'string') throw new Error(browser);
  const context = await browser.newContext({ viewport: sizes.desk, ...options });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  const go = async (to: string): Promise<void> => {
    await page.goto(pathToFileURL(to).href);
  };
  await go(file);
  return {
    ...{ page, requests, complaints, go },
    ask: async (name, ...args) => {
      await page.evaluate(inPage);
      return page.evaluate(`inPage.${name}(${args.map((each) => JSON.stringify(each)).join()})`);
    },
    close: () => context.close(),
  };
}
