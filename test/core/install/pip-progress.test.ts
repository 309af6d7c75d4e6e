import { expect, it } from 'vitest';
import { pipProgress } from '../../../src/core/install/pip-progress.ts';

it.each([
  [
    '  Downloading torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl (539.1 MB)',
    'downloading torch 2.15.0 (539.1 MB)',
  ],
  [
    'Downloading https://index.example/p/nvidia_cudnn_cu13-9.26.0.51-py3-none-manylinux_2_27_x86_64.whl (519.2 MB)',
    'downloading nvidia_cudnn_cu13 9.26.0.51 (519.2 MB)',
  ],
  ['  Downloading deepspeed-0.19.8.tar.gz (1.7 MB)', 'downloading deepspeed 0.19.8 (1.7 MB)'],
  [
    'Installing collected packages: py-cpuinfo, mpmath, torch',
    'unpacking 3 packages, which says nothing meanwhile',
  ],
  ['      Successfully uninstalled setuptools-65.5.0', null],
  ['    Found existing installation: setuptools 65.5.0', null],
  ['Collecting torch==2.15.0', 'Collecting torch==2.15.0'],
])('%j is told as %j', (line, told) => {
  expect(pipProgress(line)).toBe(told);
});
