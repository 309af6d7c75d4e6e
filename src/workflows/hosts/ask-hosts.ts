import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, withFileErrors } from '../../adapters/files.ts';
import { forEachHost, runOnHost, sshFailed } from '../../adapters/ssh.ts';
import type { CommandResult } from '../../adapters/exec.ts';
import { hostCheckProgram, parseHostAnswer, type HostQuestion } from '../../core/launch/host-check.ts';
import type { AskedHost } from '../../core/launch/host-faults.ts';
import type { Host } from '../../core/launch/schedule.ts';
import type { Fault } from '../../errors.ts';
import type { Context } from '../context.ts';

/** A host answers within a second; a home on a tired file system takes longer. */
const timeoutMs = 60_000;

export interface AskedHosts {
  readonly asked: readonly AskedHost[];
  /** Why the others gave no answer. */
  readonly faults: readonly Fault[];
}

/** Asks every host the same question, all at once. */
export async function askHosts(
  context: Context,
  hosts: readonly Host[],
  runsFolder: string,
  question: Omit<HostQuestion, 'tokenFolder'>,
): Promise<AskedHosts> {
  const tokenFolder = join(runsFolder, `.hosts-${randomBytes(4).toString('hex')}`);
  await withFileErrors(tokenFolder, async () => {
    await makeFolder(tokenFolder);
    for (const index of hosts.keys()) await writeFile(join(tokenFolder, String(index)), '');
  });
  try {
    const answers = await forEachHost(hosts, (host, index) =>
      askHost(context, host, hostCheckProgram({ ...question, tokenFolder }, String(index))),
    );
    context.signal.throwIfAborted();
    return {
      asked: answers.filter((answer): answer is AskedHost => 'answer' in answer),
      faults: answers.filter((answer): answer is Fault => 'problem' in answer),
    };
  } finally {
    await rm(tokenFolder, { recursive: true, force: true });
  }
}

async function askHost(context: Context, { name }: Host, program: string): Promise<AskedHost | Fault> {
  const beforeMs = context.now();
  const { env, signal } = context;
  const result = await runOnHost(name, program, { env, timeoutMs, signal });
  const afterMs = context.now();
  const answer = parseHostAnswer(result.stdout);
  if (answer === null) return silence(name, result);
  const seconds = answer.clock === null ? null : answer.clock - (beforeMs + afterMs) / 2000;
  // Its clock was read in whole seconds, at some moment in between.
  const skew = seconds === null ? null : { seconds, error: (afterMs - beforeMs) / 2000 + 1 };
  return { name, answer, skew };
}

/** Why a host gave no answer, in ssh's own words. */
export function silence(name: string, result: CommandResult): Fault {
  const place = `host ${name}`;
  const said = result.stderr
    .split(/\r?\n/)
    .findLast((line) => line.trim() !== '')
    ?.trim();
  if (result.startError !== null) return { place, problem: `ssh cannot be started: ${result.startError}` };
  if (result.timedOut) {
    return {
      place,
      problem: `does not answer within ${timeoutMs / 1000} s`,
      expected: 'an answer to: ssh HOST true',
    };
  }
  const problem =
    result.exitCode === sshFailed
      ? `cannot be reached: ${said ?? 'ssh failed without a word'}`
      : `its /bin/sh did not answer (status ${String(result.exitCode)}): ${said ?? 'nothing was said'}`;
  return { place, problem, expected: `this to work without a question: ssh -o BatchMode=yes ${name} true` };
}
