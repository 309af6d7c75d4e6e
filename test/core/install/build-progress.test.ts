import { describe, expect, it } from 'vitest';
import { buildProgress } from '../../../src/core/install/build-progress.ts';

describe('the build of the ops', () => {
  it('says which op is built, how far it is and of which file, and not the command of the compiler', () => {
    const show = buildProgress();
    expect(show('Using /home/a/ops as PyTorch extensions root...')).toContain('PyTorch extensions root');
    expect(show('loading cpu_adam')).toMatch(/^cpu_adam: compiling/);
    const compile =
      'c++ -MMD -MF cpu_adam.o.d -DTORCH -isystem /x -O3 -c /site/csrc/cpu_adam.cpp -o cpu_adam.o';
    expect(show(`[1/3] ${compile} `)).toBe('cpu_adam: 1 of 3 built, last cpu_adam.cpp');
    expect(show('[3/3] c++ a.o b.o -shared -lgomp -o cpu_adam.so')).toBe(
      'cpu_adam: 3 of 3 built, last cpu_adam.so',
    );
    expect(show('shm.cpp:42:46: warning: a string constant')).toMatch(/^cpu_adam: 3 of 3/);
    show('loading deepspeed_shm_comm');
    expect(show('[1/2] c++ -c shm.cpp -o shm.o')).toBe('deepspeed_shm_comm: 1 of 2 built, last shm.cpp');
  });
});
