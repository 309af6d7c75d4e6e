import { describe, expect, it } from 'vitest';
import { holdsSecret, redactCommand, redactEnvironment } from '../../../src/core/results/redact.ts';

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
    'SSHPASS',
    'MYSQL_PWD',
    'GH_PAT',
    'AUTHORIZATION',
  ])('keeps the name of %s and not its value', (name) => {
    expect(redactEnvironment({ [name]: 'hunter2' })).toEqual({ [name]: '[redacted]' });
  });

  it.each([
    'PATH',
    'OMP_NUM_THREADS',
    'NCCL_DEBUG',
    'KEYBOARD',
    'MONKEY',
    'AUTHOR',
    'GIT_AUTHOR_NAME',
    'PWD',
    'OLDPWD',
    'TOKENIZERS_PARALLELISM',
    'MAX_TOKENS',
    'PATTERN',
  ])('keeps %s', (name) => {
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

  it('takes a token out of any URL over HTTP, and one that shows what it is anywhere', () => {
    expect(
      redactEnvironment({
        A: 'https://s3cr3t@host/x',
        B: 'ssh://git@host',
        C: `run hf_${'x'.repeat(34)} now`,
      }),
    ).toEqual({ A: 'https://[redacted]@host/x', B: 'ssh://git@host', C: 'run hf_[redacted] now' });
  });

  it('sorts names and drops what is not set', () => {
    expect(Object.keys(redactEnvironment({ B: '1', A: '2', C: undefined }))).toEqual(['A', 'B']);
  });
});

describe('redactCommand', () => {
  it.each([
    [
      ['t.py', '--token=hunter2'],
      ['t.py', '--token=[redacted]'],
    ],
    [
      ['t.py', '--hf-token', 'hunter2', '--lr', '1'],
      ['t.py', '--hf-token', '[redacted]', '--lr', '1'],
    ],
    [
      ['sh', '-c', 'HF_TOKEN=hunter2 python t.py'],
      ['sh', '-c', 'HF_TOKEN=[redacted] python t.py'],
    ],
    [
      ['sh', '-c', "export WANDB_API_KEY='hunter2'; t"],
      ['sh', '-c', 'export WANDB_API_KEY=[redacted]; t'],
    ],
    [
      ['curl', '-H', 'Authorization: Bearer hunter2hunter2'],
      ['curl', '-H', 'Authorization: Bearer [redacted]'],
    ],
    [
      ['git', 'clone', 'https://hunter2@host/x'],
      ['git', 'clone', 'https://[redacted]@host/x'],
    ],
  ])('%j', (command, shown) => {
    expect(redactCommand(command)).toEqual(shown);
    expect(holdsSecret(command)).toBe(true);
  });

  it.each([
    ['t.py', '--max-tokens=4096', '--tokenizer', 'gpt2'],
    ['sh', '-c', 'HF_TOKEN=$HF_TOKEN t.py --pass 2 --session=3'],
    ['t.py', '--use-auth', '--author=me', '--pad-token-id=0'],
  ])('leaves %s as it is', (...command) => {
    expect(redactCommand(command)).toEqual(command);
    expect(holdsSecret(command)).toBe(false);
  });
});
