import type { ToolIdentity } from '../results/record.ts';
import type { GateCase } from './gate-case.ts';
import type { MetricName } from './metric.ts';

/** The newest baseline file that this version reads and writes. */
export const baselineVersion = 1;

/** How much a case's numbers differ without any change. Deviations are of natural logarithms: 0.02 is about 2%. */
export interface Noise {
  /** Launches behind the reference's value, and the sessions that they were in (core/gate/sessions.ts). */
  readonly launches: number;
  readonly sessions: number;
  /** Standard deviation between launches of one session, with its degrees of freedom; null where none is known. */
  readonly betweenLaunches: Deviation | null;
  /** Standard deviation between sessions. */
  readonly betweenSessions: Deviation | null;
  /** Half the width of one launch's own 95% interval; null where it has none. */
  readonly withinRun: number | null;
}

export interface Deviation {
  readonly deviation: number;
  readonly degrees: number;
}

/** Where a reference comes from. */
export interface Provenance {
  readonly runs: readonly string[];
  readonly firstUtc: string;
  /** Start of the newest run: what was run later is held against the reference. */
  readonly lastUtc: string;
  readonly machine: string;
  readonly stack: {
    readonly name: string;
    readonly hash: string;
    readonly torch: string;
    readonly deepspeed: string;
  } | null;
  readonly tool: ToolIdentity | null;
}

/**
 * What a case is held to: a value and how far it may be off, as shares of it (a habit of ReFrame's references). The
 * bound on the worse side is the threshold; past the one on the better side the reference is stale. null: no bound.
 */
export interface Reference {
  readonly case: GateCase;
  readonly metric: MetricName;
  readonly value: number;
  /** At most 0, for example -0.05. */
  readonly lower: number | null;
  /** At least 0. */
  readonly upper: number | null;
  readonly unit: string;
  /** Absent where a person wrote the reference: then nothing is known of its noise. */
  readonly noise?: Noise;
  readonly provenance?: Provenance;
}

/** A failure or a regression that is known and excused until a day. */
export interface ExpectedFailure {
  /** Every field given must be equal. */
  readonly case: Partial<GateCase>;
  /** Absent: any. */
  readonly metric?: MetricName;
  readonly reason: string;
  /** Last day that it is excused, UTC: `2026-12-31`. */
  readonly until: string;
}

export interface Baseline {
  readonly schemaVersion: typeof baselineVersion;
  readonly updatedUtc: string | null;
  readonly references: readonly Reference[];
  readonly expectedFailures: readonly ExpectedFailure[];
}
