import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal, isShortCommit, parseRef, parseSource } from '../../../src/core/upstreams/source.ts';

describe('a source', () => {
  it.each([
    ['https://github.com/NVIDIA/apex.git', 'url'],
    ['http://mirror.example:8080/megatron', 'url'],
    ['ssh://git@host.example:2222/group/megatron.git', 'url'],
    ['git://host.example/megatron', 'url'],
    ['file:///srv/git/megatron.git', 'url'],
    ['git@github.com:NVIDIA/apex.git', 'url'],
    ['[::1]:megatron.git', 'url'],
    ['/srv/git/megatron.git', 'path'],
    ['../with a space/megatron', 'path'],
    ['~/megatron', 'path'],
    ['./host:path', 'path'],
    ['megatron.git', 'path'],
    ['./-megatron', 'path'],
  ])('%s is a %s, and is shown as it is', (text, kind) => {
    expect(parseSource(text)).toEqual({ kind, address: text, shown: text });
  });

  it.each([
    ['https://me:secret@host.example/a.git', 'https://host.example/a.git'],
    ['https://token-of-mine@host.example/a.git', 'https://host.example/a.git'],
    ['https://me:se@cret@host.example/a.git', 'https://host.example/a.git'],
    ['HTTPS://me:secret@host.example/a.git', 'HTTPS://host.example/a.git'],
    ['ssh://git:secret@host.example/a.git', 'ssh://git@host.example/a.git'],
    ['ssh://git@host.example/a.git', 'ssh://git@host.example/a.git'],
  ])('%s is used as given and shown without the secret', (text, shown) => {
    expect(parseSource(text)).toEqual({ kind: 'url', address: text, shown });
  });

  it.each([
    ['', 'is empty'],
    ['  ', 'is empty'],
    ['-u./evil', 'begins with "-"'],
    ['--upload-pack=touch /tmp/canary', 'begins with "-"'],
    ['ext::sh -c touch% /tmp/canary', 'transport helper'],
    ['EXT::sh', 'transport helper'],
    ['fd::17', 'transport helper'],
    ['testgit::/srv/x', 'transport helper'],
    ['::x', 'transport helper'],
    ['https://host/a\n--upload-pack=x', 'control character'],
    ['/srv/a\0b', 'control character'],
    ['/srv/\u001b[31m', 'control character'],
    ['https://host/a%0ahost=evil', 'encoded control character'],
    ['https://host%00/a', 'encoded control character'],
    ['ssh://-oProxyCommand=touch$IFS/tmp/canary/a', 'begins with "-"'],
    ['ssh://git@-oProxyCommand=x/a', 'begins with "-"'],
    ['ssh://-l@host/a', 'begins with "-"'],
    ['-oProxyCommand=x:a', 'begins with "-"'],
    ['git@-oProxyCommand=x:a', 'begins with "-"'],
    ['host:-upload', 'begins with "-"'],
    ['host: --upload-pack=touch', 'white space'],
    ['https://host/a --upload-pack=x', 'white space'],
    ['ftp://host/a', 'scheme ftp://'],
    ['javascript://x/y', 'scheme javascript://'],
    ['git+ssh://host/a', 'scheme git+ssh://'],
    ['https://', 'names no repository'],
    ['https:///a', 'names no host'],
    ['https://host', 'names no repository'],
    ['host:', 'no path'],
    ['@host:x', 'neither a URL'],
    ['h_t://x', 'neither a URL'],
    ['~other/megatron', 'another user'],
  ])('%j is refused: %s', (text, problem) => {
    const refusal = parseSource(text);
    expect(isRefusal(refusal) && refusal.problem).toContain(problem);
  });

  it('that is taken never begins with "-", never holds a control character, never names a helper', () => {
    const piece = fc.constantFrom(
      '-',
      '--upload-pack=',
      '::',
      ':',
      '//',
      '/',
      '@',
      'ext',
      'ssh',
      'https',
      'h',
      ' ',
      '\n',
      '%0a',
      '~',
      '[',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        const source = parseSource(pieces.join(''));
        if (isRefusal(source)) return;
        expect(source.address).not.toMatch(/^-|[\x00-\x1f]|^\w*::/);
        if (source.kind === 'url')
          expect(source.address).not.toMatch(/\s|^[^:]+:\/\/(.*@)?-|^([^/:]*@)?[^/:]*:-/);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('a ref', () => {
  it.each([
    'superoffload',
    '23.05-devel',
    'feature/x',
    'refs/heads/main',
    'v1.0',
    'HEAD',
    'a@b',
    'ünïcode',
    'f2c70ad',
  ])('%s is a name', (name) => {
    expect(parseRef(name)).toEqual({ kind: 'name', name });
  });

  it('of 40 hexadecimal digits is a commit, in small letters', () => {
    const commit = 'F2C70AD9DB2FA8A210F17086EE9C201541E6D539';
    expect(parseRef(commit)).toEqual({ kind: 'commit', name: commit.toLowerCase() });
  });

  it.each([
    '',
    '-main',
    '--upload-pack=x',
    'a..b',
    'main@{1}',
    '@',
    'a:b',
    'HEAD~1',
    'HEAD^',
    'a b',
    'a\nb',
    'a\0',
    'x*',
    'a?',
    'a[b',
    'a\\b',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    'a.',
    'x'.repeat(256),
  ])('%j is refused', (text) => {
    expect(isRefusal(parseRef(text))).toBe(true);
  });

  it('may be the beginning of a commit from 7 digits on', () => {
    expect(['f2c70a', 'f2c70ad', 'superoffload', 'a'.repeat(40)].map(isShortCommit)).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });
});
