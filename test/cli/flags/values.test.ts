import { describe, expect, it } from 'vitest';
import {
  collect,
  collectNames,
  parseCount,
  parseDropout,
  parseDuration,
  parseNumber,
  parseShare,
  parseTokens,
} from '../../../src/cli/flags/values.ts';

describe('flag values', () => {
  it.each<[(text: string) => unknown, string, unknown]>([
    [parseCount, '1', 1],
    [parseCount, '128', 128],
    [parseTokens, '2048', 2048],
    [parseTokens, '64K', 65_536],
    [parseTokens, '1M', 1_048_576],
    [parseNumber, '0', 0],
    [parseShare, '2%', 0.02],
    [parseShare, '0.02', 0.02],
    [parseShare, '0', 0],
    [parseShare, '1', 1],
    [parseShare, '100%', 1],
    [parseDropout, '0', 0],
    [parseDropout, '99%', 0.99],
    [parseDuration, '90', 90_000],
    [parseDuration, '0.5', 500],
    [parseDuration, '90s', 90_000],
    [parseDuration, '10m', 600_000],
    [parseDuration, '1h30m', 5_400_000],
    [parseDuration, '250ms', 250],
    [parseDuration, '1.5h', 5_400_000],
    [collectNames, 'a, b,,c', ['a', 'b', 'c']],
  ])('%o reads %j as %j', (parse, text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it('guesses the share that a whole number of per cent was meant to be', () => {
    expect(() => parseShare('90')).toThrow(/did you mean 0\.9\?/);
    expect(() => parseShare('2')).toThrow(/did you mean 0\.02\?/);
    for (const text of ['1.5', '101', '90x', '150%'])
      expect(() => parseShare(text)).not.toThrow(/did you mean/);
  });

  it.each<[(text: string) => unknown, readonly string[], RegExp]>([
    [
      parseCount,
      ['0', '-1', '1.5', '1e3', '', ' 1', '0x10', '9007199254740993', 'four'],
      /whole number from 1/,
    ],
    [parseTokens, ['0', '-1', '1.5K', '64KB', 'K', '', '99999999999M'], /such as 2048, 64K or 1M/],
    [parseNumber, ['-1', '1.5', '', 'x', '99999999999999999999'], /whole number from 0/],
    [parseShare, ['101%', '1.01', '-1', '', '%', '2 %', '.5', 'half', '1e-2'], /share, such as 2% or 0.02/],
    [parseDropout, ['1', '100%'], /share below 1/],
    [parseDuration, ['0', '0s', '0h0m'], /longer than 0/],
    [collectNames, ['', ',', ' , '], /Expected a name/],
    [parseDuration, ['', '-1', '10x', 'm', '1h 30m', '1d', '10 m', 's10'], /duration, such as 90s/],
  ])('%o refuses %j', (parse, texts, message) => {
    for (const text of texts) expect(() => parse(text), text).toThrow(message);
  });

  it('gathers repeated flags in order', () => {
    expect(collectNames('c', ['a', 'b'])).toEqual(['a', 'b', 'c']);
    expect(collect('x=1,2', ['y=3'])).toEqual(['y=3', 'x=1,2']);
  });
});
