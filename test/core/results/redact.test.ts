import { describe, expect, it } from 'vitest';
import { redactEnvironment } from '../../../src/core/results/redact.ts';

describe('redactEnvironment', () => {
  it.each([
    'HF_TOKEN',
    'wandb_api_key',
    'AWS_SECRET_ACCESS_KEY',
    'DB_PASSWORD',
    'PIP_INDEX_AUTH',
    'SSH_KEY',
    'MY_CREDENTIALS',
    'SESSION_ID',
  ])('keeps the name of %s and not its value', (name) => {
    expect(redactEnvironment({ [name]: 'hunter2' })).toEqual({ [name]: '[redacted]' });
  });

  it.each(['PATH', 'OMP_NUM_THREADS', 'NCCL_DEBUG', 'KEYBOARD', 'MONKEY'])('keeps %s', (name) => {
    expect(redactEnvironment({ [name]: 'value' })).toEqual({ [name]: 'value' });
  });

  it('takes the password out of any URL, and leaves the rest of it', () => {
    expect(
      redactEnvironment({
        http_proxy: 'http://me:s3cr%t@proxy:3128/x http://a:b@c',
        PLAIN: 'http://host:80/a@b',
      }),
    ).toEqual({
      PLAIN: 'http://host:80/a@b',
      http_proxy: 'http://me:[redacted]@proxy:3128/x http://a:[redacted]@c',
    });
  });

  it('sorts names and drops what is not set', () => {
    expect(Object.keys(redactEnvironment({ B: '1', A: '2', C: undefined }))).toEqual(['A', 'B']);
  });
});
