import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const render = join(import.meta.dirname, '../../../../src/core/figures/render');

/** What each room may take from the others. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  drawing: [],
  text: [],
  view: ['drawing'],
  plots: ['drawing', 'text', 'view'],
  page: ['drawing', 'text', 'view', 'plots'],
  timeline: ['drawing', 'text', 'plots', 'page'],
};

it('has a room for every file of a picture', () => {
  expect(readdirSync(render).sort()).toEqual(Object.keys(rooms).sort());
});

it.each(Object.entries(rooms))('%s takes from %j alone', (room, allowed) => {
  const taken = readdirSync(join(render, room)).flatMap((file) =>
    [...readFileSync(join(render, room, file), 'utf8').matchAll(/from '\.\.\/([a-z]+)\//g)].map(
      ([, from]) => ({
        file,
        from,
      }),
    ),
  );
  expect(taken.filter(({ from }) => !allowed.includes(from ?? ''))).toEqual([]);
});
