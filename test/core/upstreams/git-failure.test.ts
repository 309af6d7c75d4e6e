import { expect, it } from 'vitest';
import { failureHint, gitFailureKind, isWorthRepeating } from '../../../src/core/upstreams/git-failure.ts';
import { gitEnvironment } from '../../../src/core/upstreams/git-environment.ts';
import { nearRefs } from '../../../src/core/upstreams/near-refs.ts';
import { redact } from '../../../src/core/upstreams/redact.ts';

/** As git 2.39, ssh 9.2 and curl 7.88 print them. */
it.each([
  [
    "fatal: unable to access 'https://nowhere.invalid/x/': Could not resolve host: nowhere.invalid",
    'network',
  ],
  [
    "fatal: unable to access 'https://127.0.0.1:1/x/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
    'network',
  ],
  [
    'ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote repository.',
    'network',
  ],
  [
    'error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: early EOF',
    'network',
  ],
  ["fatal: unable to access 'http://h/x/': The requested URL returned error: 503", 'network'],
  ['fatal: read error: Connection reset by peer', 'network'],
  [
    'error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: protocol error: bad pack header',
    'network',
  ],
  [
    'remote: aborting due to possible repository corruption on the remote side.\nfatal: protocol error: bad pack header',
    'corrupt',
  ],
  ["fatal: could not read Username for 'https://github.com': terminal prompts disabled", 'authentication'],
  ["fatal: Authentication failed for 'https://h/x/'", 'authentication'],
  [
    'git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.',
    'authentication',
  ],
  ['Host key verification failed.\nfatal: Could not read from remote repository.', 'host-key'],
  [
    "fatal: unable to access 'https://h/': server certificate verification failed. CAfile: none CRLfile: none",
    'certificate',
  ],
  ["fatal: repository 'http://h/x/' not found", 'missing'],
  ['ERROR: Repository not found.\nfatal: Could not read from remote repository.', 'missing'],
  ["fatal: '/srv/x' does not appear to be a git repository", 'missing'],
  ['fatal: remote error: access denied or repository not exported: /x', 'missing'],
  [
    'fatal: remote error: upload-pack: not our ref 1111111111111111111111111111111111111111',
    'missing-commit',
  ],
  [
    'error: Server does not allow request for unadvertised object 1111111111111111111111111111111111111111',
    'unadvertised',
  ],
  ['fatal: dumb http transport does not support shallow capabilities', 'unadvertised'],
  ["fatal: couldn't find remote ref refs/heads/x", 'missing-ref'],
  ["fatal: detected dubious ownership in repository at '/srv/x'", 'owner'],
  ['fatal: write error: No space left on device\nfatal: early EOF', 'full-disk'],
  ['remote: fatal: unable to read 08c0dca59c599fc91a132413c5ee1a7409d29e34\nfatal: early EOF', 'corrupt'],
  ['error: inflate: data stream error (incorrect data check)\nfatal: early EOF', 'corrupt'],
  ['something else altogether', 'other'],
])('%s', (stderr, kind) => {
  expect(gitFailureKind(stderr, false)).toBe(kind);
  expect(isWorthRepeating(gitFailureKind(stderr, false))).toBe(kind === 'network');
});

it('a folder of this machine that ends early is damaged, not far away', () => {
  expect(gitFailureKind('fatal: early EOF\nfatal: fetch-pack: invalid index-pack output', true)).toBe(
    'corrupt',
  );
});

it('a hint names the command to try', () => {
  const about = { shown: 'https://h/x', command: 'git ls-remote https://h/x', name: 'apex' };
  expect(failureHint('network', about)).toBe(
    'Try by hand: git ls-remote https://h/x; or name another one with --source apex=URL|PATH.',
  );
  expect(failureHint('owner', { ...about, shown: '/srv/x' })).toContain(
    'git config --global --add safe.directory /srv/x',
  );
});

it('near matches: a slip, a clone’s prefix, a part of a name', () => {
  const known = ['main', 'superoffload', 'superoffload-v2', '23.05-devel', '23.08-devel'];
  expect(nearRefs('superofload', known)).toEqual(['superoffload']);
  expect(nearRefs('origin/superoffload', known)).toEqual(['superoffload', 'superoffload-v2']);
  expect(nearRefs('devel', known)).toEqual(['23.05-devel', '23.08-devel']);
  expect(nearRefs('qqqqqqqqqqqq', known)).toEqual([]);
});

it('no user name and no password stays in a text', () => {
  expect(redact("unable to access 'https://me:secret@h/x': no; see ssh://git:secret@h/y and git@h:z")).toBe(
    "unable to access 'https://h/x': no; see ssh://git@h/y and git@h:z",
  );
});

it("git's environment: no question, no other repository, no hidden editor; the user's ssh and proxy stay", () => {
  const env = {
    PATH: '/bin',
    GIT_DIR: '/x',
    GIT_INDEX_FILE: '/y',
    GIT_PAGER: 'p',
    EDITOR: 'vi',
    SSH_ASKPASS: 'ask',
    https_proxy: 'p',
    GIT_SSL_CAINFO: 'ca',
    GIT_SSH_COMMAND: 'ssh -i key',
    LC_ALL: 'de_DE.UTF-8',
  };
  expect(gitEnvironment(env, 'ignored')).toEqual({
    ...{ PATH: '/bin', https_proxy: 'p', GIT_SSL_CAINFO: 'ca', LC_ALL: 'C', LANGUAGE: 'C' },
    ...{ GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', GCM_INTERACTIVE: 'never', GIT_OPTIONAL_LOCKS: '0' },
    ...{ GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh', GIT_SSH_COMMAND: 'ssh -i key -o BatchMode=yes' },
  });
  expect(gitEnvironment({}, 'ssh -F c')['GIT_SSH_COMMAND']).toBe('ssh -F c -o BatchMode=yes');
  expect(gitEnvironment({ GIT_SSH: '/opt/plink' }, '')).not.toHaveProperty('GIT_SSH_COMMAND');
});
