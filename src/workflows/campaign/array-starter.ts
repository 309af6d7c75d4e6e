import type { RunFolder } from '../../adapters/run-store.ts';
import { readJournal } from '../../adapters/stored-runs.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { runCase } from '../runs/run-case.ts';
import { attachStarted } from '../runs/start-run.ts';
import type { StartedRun } from '../runs/started-run.ts';
import { submitArray } from '../slurm/array.ts';
import type { RunStarter } from './drive.ts';

interface Prepared {
  readonly folder: RunFolder;
  readonly plan: RunPlan;
}

/**
 * Starts runs as tasks of job arrays: those that are begun together are submitted together, once the last of them has
 * its folder.
 * @param limit how many tasks may run at once
 */
export function arrayStarter(limit: number): Pick<RunStarter, 'start'> {
  const wave = new Wave(limit);
  return {
    start: async (context, plan, position, onFolder) => {
      const leave = wave.join();
      try {
        return await runCase(context, plan, position, onFolder, (own, folder, ready) =>
          wave.submit(own, { folder, plan: ready }, leave),
        );
      } finally {
        // One that never came so far must not keep the others waiting.
        leave();
      }
    },
  };
}

/** Runs that wait for one another to be submitted. */
class Wave {
  readonly #limit: number;
  #coming = 0;
  #runs: Prepared[] = [];
  #submission = deferred();
  #context: Context | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns what says, once, that this one waits for nobody any more. */
  join(): () => void {
    this.#coming += 1;
    let isHere = true;
    return () => {
      if (!isHere) return;
      isHere = false;
      this.#coming -= 1;
      if (this.#coming === 0) this.#flush();
    };
  }

  async submit(context: Context, run: Prepared, leave: () => void): Promise<StartedRun> {
    this.#runs.push(run);
    this.#context = context;
    const { promise } = this.#submission;
    leave();
    await promise;
    const { folder, plan } = run;
    const started = await attachStarted(
      context,
      folder,
      plan,
      readJournal(context.home, folder.runId).events,
    );
    if (started !== null) return started;
    throw new SuperOffloadError({
      code: 'environment',
      message: `Slurm took run ${folder.runId} and knows nothing of it`,
      hint: 'Go on with --resume: it is looked for again, and begun anew if it is nowhere.',
    });
  }

  #flush(): void {
    const [runs, context, submission] = [this.#runs, this.#context, this.#submission];
    this.#runs = [];
    this.#submission = deferred();
    if (runs.length === 0 || context === null) return;
    submitArray(context, runs, { limit: this.#limit }).then(submission.resolve, submission.reject);
  }
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

function deferred(): Deferred {
  let resolve: Deferred['resolve'] = () => undefined;
  let reject: Deferred['reject'] = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
