import type { Objective, TuneBudget } from '../../core/tune/tuning.ts';
import type { PlanRequest } from '../plan/request.ts';

/** What a user asks of `tune`. A flag of a case that was given is kept as it is; what was not is tuned. */
export interface TuneCommand extends PlanRequest {
  readonly objective: Objective;
  readonly budget: TuneBudget;
  /** `--bind-cores` was given. */
  readonly bindsCores: boolean;
  /** Earlier runs do not count, neither this tuning's own nor others. */
  readonly fresh: boolean;
  /** Folder of the files of the choice, as the user named it. */
  readonly out: string;
  /** Files that are there and not of this tuning are overwritten. */
  readonly force: boolean;
}
