import type { Cell } from '../../core/campaign/cell.ts';
import { ExpectedTime, type Durations } from '../../core/campaign/expected-time.ts';
import type { CellState } from '../../core/campaign/state.ts';
import { predictDurationMs } from '../../core/model/duration.ts';
import type { PlannedCampaign } from './plan-campaign.ts';
import type { EarlierRuns } from './reuse.ts';
import type { CampaignSession } from './session.ts';

type Planned = Pick<PlannedCampaign, 'cells' | 'planning'>;

/** How long runs are expected to take: as earlier ones of the same took, else as predicted. */
class Foresight {
  readonly #predictions: Durations;
  readonly #earlier: Durations;

  constructor({ cells, planning: { system } }: Planned, earlier: EarlierRuns) {
    this.#predictions = Object.fromEntries(
      cells.map(({ key, case: subject }) => [key, predictDurationMs(subject, system, subject.steps)]),
    );
    this.#earlier = Object.fromEntries(
      [...earlier].map(([key, records]) => [key, records[0]?.durationMs ?? null]),
    );
  }

  /** @returns wall time of one launch, milliseconds; null where nothing is known. */
  readonly ofCell = ({ key }: Cell): number | null => this.#earlier[key] ?? this.#predictions[key] ?? null;

  /** @returns what tells of a session at any moment; it is reckoned anew only after a result. */
  following(session: CampaignSession): () => ExpectedTime['of'] {
    let known = this.after(session.states);
    let results = session.resultCount;
    return () => {
      if (session.resultCount !== results) known = this.after(session.states);
      results = session.resultCount;
      return known.of;
    };
  }

  /** With what the campaign has seen so far. */
  after(states: readonly CellState[]): ExpectedTime {
    return new ExpectedTime(states, this.#predictions, this.#earlier);
  }
}

export function foresightOf(planned: Planned, earlier: EarlierRuns): Foresight {
  return new Foresight(planned, earlier);
}
