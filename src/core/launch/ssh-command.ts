/**
 * How hosts are reached. Nobody is there to answer a question (BatchMode); a host that does not answer is given up
 * soon; one that died during a run is noticed after two minutes; and none of these connections becomes the master
 * that later ones would go through, whose end would be theirs (an existing master of the user's is used).
 */
const options = [
  '-T',
  '-x',
  '-o BatchMode=yes',
  '-o ConnectTimeout=10',
  '-o ControlMaster=no',
  '-o ServerAliveInterval=15',
  '-o ServerAliveCountMax=8',
];

/** Holds the ssh command where plain `ssh` will not do, as a shell reads it: `ssh -F FILE`, `ssh -J GATE`. */
export const sshVariable = 'SUPEROFFLOAD_SSH';

/**
 * Shell text that runs the ssh command with the words of the shell ("$@") behind its options. What the user's own
 * command sets comes first, and wins (ssh(1)).
 * @param before `exec ` where the shell is nothing but this
 */
export function sshCall(before = ''): string {
  return `eval "${before}\${${sshVariable}:-ssh}"' ${options.join(' ')} "$@"'`;
}
