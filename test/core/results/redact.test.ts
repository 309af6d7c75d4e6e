import { describe, expect, it } from 'vitest';
import {
  holdsSecret,
  redactCommand,
  redactEnvironment,
  redactText,
  secretValues,
} from '../../../src/core/results/redact.ts';

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

describe('redactText', () => {
  const jwt = `eyJ${'a1'.repeat(10)}.eyJ${'b2'.repeat(10)}.${'c3'.repeat(10)}`;
  it.each([
    ['{"comet": {"api_key": "hunter2", "steps": 3}}', '{"comet": {"api_key": "[redacted]", "steps": 3}}'],
    [String.raw`"{\"api_key\": \"hun'ter2\"}"`, String.raw`"{\"api_key\": \"[redacted]\"}"`],
    [String.raw`{"password": "hun\"ter2", "a": "b"}`, '{"password": "[redacted]", "a": "b"}'],
    ["{'password': 'hunter2'}", "{'password': '[redacted]'}"],
    ['GET https://h/x?token=hunter2 200', 'GET https://h/x?token=[redacted] 200'],
    ['https://s3/x?X-Amz-Signature=0a1b2c', 'https://s3/x?X-Amz-Signature=[redacted]'],
    ['https://az/x?sig=0a1b2c', 'https://az/x?sig=[redacted]'],
    ['Namespace(lr=1, hub.token=hunter2)', 'Namespace(lr=1, hub.token=[redacted]'],
    ['api_key: 0123456789abcdef0123', 'api_key: [redacted]'],
    ['sshpass -p hunter2 ssh -p 22 node1', 'sshpass -p [redacted] ssh -p 22 node1'],
    [`got ${jwt} back`, 'got eyJ[redacted] back'],
    [`nvapi-${'x1'.repeat(12)}`, 'nvapi-[redacted]'],
  ])('%s', (text, shown) => {
    expect(redactText(text)).toBe(shown);
    expect(redactText(shown)).toBe(shown);
  });

  it.each([
    '{"tokens": "131072", "auth": "none", "session": true, "tokenizer": "gpt2"}',
    '{"gradient_clipping": 1.0, "train_batch_size": 8, "author": "me"}',
    'tokens: 131072, session: started',
  ])('leaves %s as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it.each(['eyJ-', 'token: a1', `'a':"`, '\\', 'a="', 'aaaa-', '"a":\\"', 'sshpass -p '])(
    'takes a megabyte of %j in a moment',
    (piece) => {
      const started = performance.now();
      redactText(piece.repeat(2 ** 20 / piece.length));
      expect(performance.now() - started).toBeLessThan(10_000);
    },
  );

  it('knows secrets of the environment by their names', () => {
    const env = {
      WANDB_API_KEY: '0123456789abcdef',
      XDG_SESSION_DESKTOP: 'ubuntu',
      SSH_AUTH_SOCK: '/tmp/ssh-1/agent',
    };
    expect(secretValues({ ...env, PATH: '/usr/bin:/usr/local/bin' })).toEqual(['0123456789abcdef']);
  });
});
