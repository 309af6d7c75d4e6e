import type { PythonFacts } from '../../../src/core/stack/python.ts';

/** A Python of its own virtual environment with torch, as on a GPU machine without a network. */
export const python: PythonFacts = {
  path: '/opt/torch/.venv/bin/python',
  identity: 'a',
  version: '3.12.3',
  machine: 'x86_64',
  is64Bit: true,
  base: '/usr/bin/python3.12',
  hasHeaders: true,
  hasVenv: true,
  hasEnsurepip: true,
  hasPip: false,
  sitePackages: ['/opt/torch/.venv/lib/python3.12/site-packages'],
  torch: { version: '2.11.0+cu130', cuda: '13.0' },
  packages: { torch: '2.11.0', ninja: '1.13.0' },
};
