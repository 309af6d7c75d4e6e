import { describe, expect, it } from 'vitest';
import { explainLfsFailure, parseLfsProgress, parsePointer } from '../../../src/core/dataset/lfs.ts';

const oid = 'ab'.repeat(32);

describe('a Git LFS pointer', () => {
  it('has a hash and a size', () => {
    const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`;
    expect(parsePointer(text)).toEqual({ sha256: oid, bytes: 12345 });
  });

  it.each([
    '',
    'text',
    `oid sha256:${oid}\nsize 1\n`,
    'version https://git-lfs.github.com/spec/v1\nsize 1\n',
  ])('is not %j', (text) => {
    expect(parsePointer(text)).toBeNull();
  });
});

it('its progress is that of the newest line', () => {
  const line = (bytes: number): string => `download 1/1 ${bytes}/468678968 a name.bin\n`;
  expect(parseLfsProgress(line(5) + line(17))).toEqual({ bytes: 17, total: 468_678_968 });
  expect(parseLfsProgress('')).toBeNull();
});

// The client's and GitHub's own words.
it.each([
  [
    'batch response: This repository is over its data quota. Account responsible for LFS bandwidth should purchase more data packs to restore access.',
    'limit on Git LFS traffic',
  ],
  [
    'batch response: This repository exceeded its LFS budget. The account responsible for the budget should increase it to restore access.',
    'limit on Git LFS traffic',
  ],
  ['LFS: Client error: https://host/obj from HTTP 429', 'too many requests'],
  ['[404] Object does not exist on the server', 'only the pointer'],
  ['batch request: missing object: abc', 'only the pointer'],
  ['batch response: Authentication required: You must have pull access', 'a name and a password'],
  ['dial tcp: lookup host: no such host', 'the data could not be fetched'],
])('%j is told as what it is, with its own words', (stderr, meaning) => {
  const { message, hint } = explainLfsFailure(stderr);
  expect(message).toContain(meaning);
  expect(message).toContain(stderr);
  expect(hint).toContain('superoffload dataset');
});
