import { readFileSync } from 'node:fs';
import { createScanner } from '../../../src/core/logs/scan.ts';
import type { LogState } from '../../../src/core/logs/state.ts';

export function fixtureText(name: string): string {
  return readFileSync(new URL(`../../fixtures/logs/${name}.log`, import.meta.url), 'latin1');
}

export function scanText(
  text: string,
  pieceLength = text.length,
): LogState & { readonly endsInsideLine: boolean } {
  const scanner = createScanner();
  for (let at = 0; at < text.length; at += pieceLength) scanner.push(text.slice(at, at + pieceLength));
  return scanner.end();
}
