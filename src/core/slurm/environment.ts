import { redactEnvironment } from '../results/redact.ts';
import { isForwarded } from '../launch/forward.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What Slurm's tools take from their environment and this tool needs: which cluster is meant, and who asks. */
const toolVariables = new Set(['SLURM_CONF', 'SLURM_CONF_SERVER', 'SLURM_CLUSTERS', 'SLURM_JWT']);

/** Variables that change what the tools print or ask for (SQUEUE_FORMAT, SLURM_TIME_FORMAT, SBATCH_OUTPUT, ...). */
const ofSlurm = /^(?:SLURM|SLURMD|SQUEUE|SACCT|SBATCH|SCANCEL|SALLOC|SRUN|SINFO|SCONTROL)_/;

/** The environment of squeue, sacct, scancel and scontrol: the user's, less what would change their answers. */
export function askingEnvironment(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => toolVariables.has(name) || !ofSlurm.test(name)),
  );
}

/** The user's defaults for sbatch that count where neither the site nor a flag says anything. */
const userDefaults: Readonly<Record<string, string>> = {
  SBATCH_ACCOUNT: 'account',
  SBATCH_CLUSTERS: 'clusters',
  SBATCH_CONSTRAINT: 'constraint',
  SBATCH_PARTITION: 'partition',
  SBATCH_QOS: 'qos',
  SBATCH_RESERVATION: 'reservation',
  SBATCH_TIMELIMIT: 'time',
};

/** Who the user is, how programs and modules are found. What steers the libraries of a training goes along as it does
 * to hosts (core/launch/forward.ts). */
const handedOn =
  /^(?:HOME|USER|LOGNAME|SHELL|PATH|LANG|LC_\w+|TZ|BASH_ENV|MODULE\w*|LMOD_\w+|LOADEDMODULES|_LMFILES_)$/;

/**
 * The environment of sbatch, which Slurm stores and gives to the job. Slurm's own default is all of the caller's:
 * that would put secrets into the controller's files and make a run depend on the shell that it was sent from. Naming
 * variables by `--export` would not do: Slurm then runs the user's login shell on the node, and holds the job for
 * ever where that takes too long ("user env retrieval failed requeued held"). So sbatch itself is started with what a
 * job may have, and hands all of that on. Of these no secret. `--slurm export=...` gives sbatch everything, to choose from.
 */
export function submitEnvironment(
  env: Environment,
  options: Readonly<Record<string, string>>,
): Record<string, string> {
  const all = options['export'] !== undefined;
  const shown = redactEnvironment(env);
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => {
      if (value === undefined) return [];
      const option = userDefaults[name];
      if (option !== undefined) return options[option] === undefined ? [[name, value]] : [];
      if (toolVariables.has(name)) return [[name, value]];
      if (ofSlurm.test(name)) return [];
      const isOpen = shown[name] === value && (handedOn.test(name) || isForwarded(name));
      return all || isOpen ? [[name, value]] : [];
    }),
  );
}
