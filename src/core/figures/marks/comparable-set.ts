import { groupBy } from '../../collections/group-by.ts';
import { standingOf } from '../../campaign/retry-policy.ts';
import { canonicalJson } from '../../experiment/case-id.ts';
import type { Case } from '../../experiment/case.ts';
import { shownLine } from '../../text/plain.ts';
import { isComparable } from '../../results/comparable.ts';
import type { RunRecord } from '../../results/record.ts';
import { wallOf } from '../../search/verdict.ts';
import type { Trial } from '../trial.ts';

/** The runs of one cell that may be taken together, and how many were left out for which reason. */
export interface ComparableSet {
  readonly kept: readonly Trial[];
  readonly leftOut: ReadonlyMap<string, number>;
}

/**
 * Chooses among the runs of one cell: of the settings that the experiment has where there are such, else of the newest;
 * and of these the ones that are of the same software and machine as the newest that says something. What differs is
 * never averaged.
 * A launch that a person stopped counts only where there is no other.
 * @param launches oldest first
 * @param own the case as the experiment has it; null where that is not known
 */
export function comparableSet(launches: readonly Trial[], own: Case | null): ComparableSet {
  const ended = launches.filter(({ record }) => standingOf(record.outcome.class) !== 'stopped');
  const trials = ended.length > 0 ? ended : launches;
  const leftOut = new Map<string, number>();
  const count = (reason: string): void => void leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
  const wanted = wantedSettings(trials, own);
  const sameSettings = trials.filter(({ subject }) => {
    const isSame = settingsKey(subject) === wanted.key;
    if (!isSame) count(settingsReason(subject, wanted.subject));
    return isSame;
  });
  const newest = newestTelling(sameSettings);
  const sameSoftware = sameSettings.filter(({ record }) => {
    if (newest === undefined || record === newest || isLike(record, newest)) return true;
    count(softwareReason(record, newest));
    return false;
  });
  const kept = ofOneJson(sameSoftware);
  const others = sameSoftware.length - kept.length;
  if (others > 0) leftOut.set('with another DeepSpeed JSON', others);
  return { kept, leftOut };
}

/**
 * Of each batch and size those with the DeepSpeed JSON of the newest that says something: `--config` and a mode's newer
 * settings change it where the case stays. A record that does not say is taken along.
 */
function ofOneJson(trials: readonly Trial[]): readonly Trial[] {
  const batches = groupBy(trials, ({ subject: { model, microBatch, activationCheckpointing } }) => {
    const { layers, hidden, heads, paddedVocabulary } = model;
    return [layers, hidden, heads, paddedVocabulary, microBatch, activationCheckpointing].join(' ');
  });
  const left = new Set<Trial>();
  for (const batch of batches.values()) {
    const wanted = newestTelling(batch.filter(({ record }) => hasHash(record)))?.deepspeedHash;
    if (wanted === undefined) continue;
    for (const trial of batch)
      if (hasHash(trial.record) && trial.record.deepspeedHash !== wanted) left.add(trial);
  }
  return left.size === 0 ? trials : trials.filter((trial) => !left.has(trial));
}

function hasHash({ deepspeedHash }: RunRecord): boolean {
  return typeof deepspeedHash === 'string';
}

/** Settings of one mode: what may differ from bar to bar, and not within one. Of a search, sizes are what differs. */
function settingsOf({ model, ...subject }: Case): Readonly<Record<string, unknown>> {
  const { layers, hidden, heads, paddedVocabulary } = model;
  return {
    ...(subject.experiment === 'model_size' ? {} : { size: [layers, hidden, heads, paddedVocabulary] }),
    'global batch': subject.globalBatch,
    'sequence-parallel': subject.sequenceParallel,
    ratio: subject.ratio,
    'loss chunk': subject.lossChunk ?? null,
    'activation offload': subject.activationOffload,
    data: [subject.dataPath, subject.vocabFile, subject.mergeFile],
    'DeepSpeed settings': subject.deepspeedOverrides,
  };
}

function settingsKey(subject: Case): string {
  return canonicalJson(settingsOf(subject));
}

function wantedSettings(
  trials: readonly Trial[],
  own: Case | null,
): { readonly key: string; readonly subject: Case | null } {
  const ownKey = own === null ? null : settingsKey(own);
  if (ownKey !== null && trials.some(({ subject }) => settingsKey(subject) === ownKey)) {
    return { key: ownKey, subject: own };
  }
  const subject = trials.at(-1)?.subject ?? null;
  return { key: subject === null ? '' : settingsKey(subject), subject };
}

function settingsReason(subject: Case, drawn: Case | null): string {
  const [here, there] = [settingsOf(subject), drawn === null ? {} : settingsOf(drawn)];
  const names = Object.keys(here).filter(
    (name) => canonicalJson(here[name]) !== canonicalJson(there[name] ?? null),
  );
  const simple = names.map((name) => {
    const value = here[name];
    if (typeof value === 'boolean') return `${value ? 'with' : 'without'} ${name}`;
    if (name === 'size') return 'of another size';
    return typeof value === 'number' ? `with ${name} ${value}` : `with other ${name}`;
  });
  return simple.join(', ');
}

/** A launch that was stopped or lost says nothing about a stack that would put others aside. */
function newestTelling(trials: readonly Trial[]): RunRecord | undefined {
  const records = trials.map(({ record }) => record);
  return (
    records.findLast((record) => record.outcome.class === 'ok' || wallOf(record) !== null) ?? records.at(-1)
  );
}

function isLike(record: RunRecord, newest: RunRecord): boolean {
  const { tool } = newest;
  return tool === null
    ? record.tool === null && isComparable({ ...record, tool: nobody }, { ...newest, tool: nobody })
    : isComparable(record, { ...newest, tool });
}

const nobody = { version: '', commit: null, dirty: null } as const;

function softwareReason({ stack, tool }: RunRecord, newest: RunRecord): string {
  if (stack?.hash !== newest.stack?.hash) return `on another stack: ${stackText(stack)}`;
  if (JSON.stringify(stack?.drift ?? []) !== JSON.stringify(newest.stack?.drift ?? [])) {
    return 'on the same stack with other changes';
  }
  if (tool?.version !== newest.tool?.version || tool?.commit !== newest.tool?.commit) {
    return `of superoffload ${toolText(tool)}`;
  }
  return 'with another binding, share of the machine or site';
}

/** As a footnote names software. */
export function stackText(stack: RunRecord['stack']): string {
  if (stack === null) return 'none';
  return shownLine(`torch ${stack.torch}, DeepSpeed ${stack.deepspeed} (lock ${stack.hash.slice(0, 8)})`, 80);
}

export function toolText(tool: RunRecord['tool']): string {
  if (tool === null) return 'of an unknown version';
  return shownLine(`${tool.version}${tool.commit === null ? '' : ` ${tool.commit.slice(0, 8)}`}`, 40);
}
