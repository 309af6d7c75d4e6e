import type { Fault } from '../../errors.ts';
import { parseGpus } from '../machine/nvidia-smi.ts';
import type { HostAnswer, HostQuestion } from './host-check.ts';

/** What a run wants of every host. */
export interface HostWish {
  readonly question: HostQuestion;
  readonly ranksPerNode: number;
  /** sha256 of the lock's file here; null where the run uses no stack. */
  readonly lockSha256: string | null;
}

export interface AskedHost {
  /** As the hostfile has it. */
  readonly name: string;
  readonly answer: HostAnswer;
  /** Its clock less ours, seconds, with half of what the question took as the error; null where it did not say. */
  readonly skew: { readonly seconds: number; readonly error: number } | null;
}

/** Everything for which a run could not take place on a host. */
export function hostFaults({ name, answer }: AskedHost, wish: HostWish): Fault[] {
  const place = `host ${name}`;
  const { tokenFolder, stack, gpus } = wish.question;
  const faults: Fault[] = [];
  const refuse = (problem: string, expected?: string): void => {
    faults.push({ place, problem, ...(expected === undefined ? {} : { expected }) });
  };
  if (answer.token === 'absent') {
    refuse(
      `does not see ${tokenFolder}`,
      'a file system that all hosts share, at the same path; SUPEROFFLOAD_HOME says where',
    );
  }
  if (answer.token === 'read-only') refuse(`may not write to ${tokenFolder}`);
  for (const file of answer.absentFiles)
    refuse(`has no ${file}`, 'this superoffload on all hosts, at the same path');
  for (const tool of answer.absentTools)
    refuse(`has no ${tool} on the PATH of ssh`, `${tool} installed on all hosts`);
  if (stack !== null) {
    if (answer.python === null) {
      refuse(
        `cannot run ${stack.python} (it is ${answer.arch})`,
        'the stack at the same path, made for the same machine',
      );
    } else if (answer.lockSha256 !== wish.lockSha256) {
      const found = answer.lockSha256 === null ? 'no lock' : 'another lock';
      refuse(
        `has ${found} at ${stack.lock}`,
        'the same stack on all hosts: share the state folder, or install it there',
      );
    }
  }
  if (gpus) faults.push(...gpuFaults(place, answer, wish.ranksPerNode));
  return faults;
}

/** The first GPUs are taken: the launcher counts them from 0 on every node. */
function gpuFaults(place: string, { gpus, gpuProcesses }: HostAnswer, ranks: number): Fault[] {
  if (gpus === null)
    return [{ place, problem: 'nvidia-smi fails or is not there', expected: `${ranks} GPUs` }];
  const found = parseGpus(gpus, gpuProcesses ?? '');
  if (found.length < ranks) {
    return [{ place, problem: `has ${found.length} GPUs`, expected: `${ranks}, one a rank` }];
  }
  const busy = found.slice(0, ranks).filter(({ computeProcesses }) => computeProcesses > 0);
  if (busy.length === 0) return [];
  const problem = `GPU ${busy.map(({ index }) => index).join(', ')} is in use by other processes`;
  return [{ place, problem, expected: `GPUs 0 to ${ranks - 1} free` }];
}

/** Two names of one machine would share its GPUs without knowing. */
export function sameMachineFaults(hosts: readonly AskedHost[], { question }: HostWish): Fault[] {
  if (!question.gpus) return [];
  return hosts.flatMap(({ name, answer }, index) => {
    const first = hosts
      .slice(0, index)
      .find((other) => answer.boot !== null && other.answer.boot === answer.boot);
    if (first === undefined) return [];
    return [
      {
        place: `host ${name}`,
        problem: `is the same machine as ${first.name}`,
        expected: 'one line a machine',
      },
    ];
  });
}

/** Beyond this a reader of two hosts' logs is misled. */
const skewSeconds = 5;

/** What a reader must know of hosts that a run may take place on. */
export function hostNotes(hosts: readonly AskedHost[]): string[] {
  return hosts.flatMap(({ name, skew }) => {
    if (skew === null || Math.abs(skew.seconds) <= skewSeconds + skew.error) return [];
    const side = skew.seconds > 0 ? 'ahead of' : 'behind';
    return [`the clock of ${name} is ${Math.abs(Math.round(skew.seconds))} s ${side} this machine's`];
  });
}

/**
 * Addresses of the first host that others may be able to reach, the likeliest first: the one that ssh reached, those
 * it knows of itself, its name. One of the loopback only where all hosts are one machine.
 */
export function masterCandidates(hosts: readonly AskedHost[]): string[] {
  const [master] = hosts;
  if (master === undefined) return [];
  const oneMachine = hosts.every(({ answer }) => answer.boot !== null && answer.boot === master.answer.boot);
  const usable = master.answer.addresses.filter(
    (address) => !/^fe80:/i.test(address) && (oneMachine || !/^(?:127\.|::1$)/.test(address)),
  );
  return [...new Set([...usable, master.name.replace(/^.*@/, '')])];
}
