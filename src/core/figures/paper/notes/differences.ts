import type { Case, System } from '../../../experiment/case.ts';
import { hostGiBFor } from '../../../experiment/system.ts';
import { formatNumber } from '../../../text/format.ts';
import { shownLine } from '../../../text/plain.ts';
import type { FigureScene } from '../scene.ts';
import { caseAt, predictOptions } from '../cells/measured-cells.ts';
import type { PaperFile } from '../paper-file.schema.ts';

type Conditions = PaperFile['conditions'];

/** What the numbers here were made with and the paper's were not, each a phrase of a few words. */
export function differencesFromPaper(scene: FigureScene): string[] {
  const { figure, paperFile, system } = scene;
  const { conditions } = paperFile;
  const subject = sampleCase(scene);
  const chips = [...new Set(scene.panels.flatMap(({ places }) => places.map((place) => place.chips)))];
  const phrases = [
    ...gpuDifferences(subject, system.system, conditions),
    hostPhrase(scene, chips),
    figure === 12 ? null : sequencePhrase(subject, conditions),
    chips.some((count) => count > 1) ? nodePhrase(system.system, conditions) : null,
    figure === 13 ? headPhrase(scene.trials.at(-1)?.record.facts ?? {}, conditions) : null,
  ];
  return phrases.filter((phrase) => phrase !== null);
}

/** As {@link differencesFromPaper}, of a figure of other cells: the number format, the GPU, its link, the sequence. */
export function speedDifferences(subject: Case | null, system: System, conditions: Conditions): string[] {
  return [...gpuDifferences(subject, system, conditions), sequencePhrase(subject, conditions)].filter(
    (phrase) => phrase !== null,
  );
}

function gpuDifferences(subject: Case | null, system: System, conditions: Conditions): (string | null)[] {
  return [dtypePhrase(subject, conditions), gpuPhrase(system, conditions), linkPhrase(system, conditions)];
}

/** What all cells share; the newest run, else as the experiment has it. */
function sampleCase(scene: FigureScene): Case | null {
  const [run] = scene.trials.slice(-1);
  if (run !== undefined) return run.subject;
  const [planned] = scene.panels;
  const [place] = planned?.places ?? [];
  const model = place?.model ?? Object.values(scene.models)[0];
  if (planned === undefined || place === undefined || model === undefined) return null;
  return caseAt(scene, planned, { ...place, model }, 'prism');
}

function dtypePhrase(subject: Case | null, { dtype }: Conditions): string | null {
  return subject === null || subject.dtype === dtype ? null : `${subject.dtype}; paper ${dtype}`;
}

function gpuPhrase({ gpuName, gpuGiB }: System, paper: Conditions): string | null {
  const name = gpuName ?? 'another GPU';
  if (` ${name} `.includes(` ${paper.gpuName} `)) return null;
  const memory = gpuGiB === null ? '' : ` ${Math.round(gpuGiB)} GiB`;
  return `${shownLine(name, 40)}${memory}; paper ${paper.gpuName} ${paper.gpuGB} GB`;
}

const linkWords = { c2c: 'C2C', pcie: 'PCIe', none: 'no link' } as const;

function linkPhrase({ link }: System, paper: Conditions): string | null {
  return link === paper.link ? null : `${linkWords[link]} to the host; paper ${linkWords[paper.link]}`;
}

const gibPerGB = 1e9 / 2 ** 30;
/** LPDDR is counted so: 480 GB are 478 GiB by the label of one module, and 447 by arithmetic. */
const sameHost = 0.1;

/** Host memory a chip, which ends the sizes of every mode that offloads. */
function hostPhrase(scene: FigureScene, chips: readonly number[]): string | null {
  const { oneChip, moreChips } = scene.paperFile.conditions.hostGBPerChip;
  const { system } = scene.system;
  const { exclusiveHost = false } = predictOptions(scene);
  const here = new Set<number>();
  const there = new Set<string>();
  for (const count of chips) {
    const ranks = Math.min(count, system.chipsPerNode);
    const hostGiB = hostGiBFor(system, ranks, exclusiveHost);
    const paperGB = count === 1 ? oneChip : moreChips;
    if (hostGiB === null || Math.abs(hostGiB / ranks / (paperGB * gibPerGB) - 1) <= sameHost) continue;
    here.add(Math.round(hostGiB / ranks));
    there.add(`${paperGB} GB`);
  }
  return here.size === 0
    ? null
    : `${[...here].join(' or ')} GiB host a chip; paper ${[...there].join(' or ')}`;
}

function sequencePhrase(subject: Case | null, { sequenceLength }: Conditions): string | null {
  if (subject === null || subject.sequenceLength === sequenceLength) return null;
  const paper = sequenceLength === null ? 'does not say' : formatNumber(sequenceLength);
  return `sequence ${subject.sequenceLength}; paper ${paper}`;
}

function nodePhrase({ chipsPerNode }: System, paper: Conditions): string | null {
  if (chipsPerNode === paper.chipsPerNode) return null;
  return `${chipsPerNode} chip${chipsPerNode === 1 ? '' : 's'} a node; paper ${paper.chipsPerNode}`;
}

/** Both workloads tie the head to the embedding where nobody says otherwise (experiment/trainer/model.py; Megatron). */
function headPhrase(facts: Readonly<Record<string, string>>, paper: Conditions): string | null {
  const untied = facts['untie embeddings and output weights']?.toLowerCase() === 'true';
  const tied = !untied && facts['tied head'] !== 'false';
  if (tied === paper.tiedHead) return null;
  const words = paper.tiedHead === null ? 'does not say' : paper.tiedHead ? 'tied' : 'untied';
  return `${tied ? 'tied' : 'untied'} head; paper ${words}`;
}
