import { expect, it } from 'vitest';
import { asStarted, resultAsStarted, startWords, type Start } from '../../src/cli/started-as.ts';

const global: Start = {
  program: '/usr/local/bin/superoffload',
  cwd: '/home/someone',
  packageRoot: '/usr/local/lib/node_modules/superoffload',
};
const clone: Start = { program: '/src/so/dist/main.js', cwd: '/src/so/bench', packageRoot: '/src/so' };
const project = { ...global, program: '/home/someone/x/node_modules/.bin/superoffload' };

it('is what the user typed: by npx in a clone or a project, plain where a shell finds it', () => {
  expect(startWords(global)).toBe('superoffload');
  expect(startWords(clone)).toBe('npx superoffload');
  expect(startWords(project)).toBe('npx superoffload');
  expect(startWords({ ...clone, cwd: '/src/so-data' })).toBe('superoffload');
});

it('changes commands, and nothing else that has the name', () => {
  const text =
    'run: superoffload install --stack a; `superoffload runs watch x` or superoffload campaign run t. ' +
    'its superoffload is gone; /opt/superoffload install; npx superoffload runs list; superoffload runsome';
  expect(asStarted(text, clone)).toBe(
    'run: npx superoffload install --stack a; `npx superoffload runs watch x` or npx superoffload campaign run t. ' +
      'its superoffload is gone; /opt/superoffload install; npx superoffload runs list; superoffload runsome',
  );
  expect(asStarted(text, global)).toBe(text);
});

it('leaves JSON as it is', () => {
  expect(resultAsStarted('{"hint":"superoffload install"}', clone)).toBe('{"hint":"superoffload install"}');
  expect(resultAsStarted('next: superoffload install', clone)).toBe('next: npx superoffload install');
});
