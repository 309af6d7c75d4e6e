/** The installed stack that all tests of the real engine share; test/global-setup.ts has installed it. */
export const realStack = {
  python: process.env['SUPEROFFLOAD_TEST_PYTHON'] ?? '/tmp/st/venv/bin/python',
  env: {
    ...process.env,
    PATH: `/tmp/st/venv/bin:${process.env['PATH'] ?? ''}`,
    TORCH_EXTENSIONS_DIR: '/tmp/st/ops',
    DS_ACCELERATOR: 'cpu',
    OMP_NUM_THREADS: '1',
  } as Record<string, string>,
};
