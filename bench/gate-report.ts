import type { Verdict } from '../src/core/gate/report.ts';
import { gateRule } from '../src/core/gate/report.ts';
import {
  cpu,
  createLab,
  h200,
  quietCpu,
  simulateAb,
  simulateStored,
  spreadOf,
  type Lab,
  type Machine,
  type StoredSetting,
} from './gate-simulation.ts';

const seed = 20_261_123;

type Counts = Record<Verdict, number>;

/** How often each answer comes, of many simulated gates. */
function answers(runs: number, one: (lab: Lab) => Verdict): Counts {
  const lab = createLab(seed);
  const counts: Counts = { pass: 0, regression: 0, inconclusive: 0, failed: 0 };
  for (let run = 0; run < runs; run += 1) counts[one(lab)] += 1;
  return counts;
}

const percent = (count: number, runs: number): string => `${((100 * count) / runs).toFixed(1)}%`;
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const head = (cells: readonly string[]): string[] => [line(cells), line(cells.map(() => '---'))];
const changeText = (loss: number): string => (loss === 0 ? 'none' : `-${(100 * loss).toFixed(0)}%`);
const cells = ({ pass, regression, inconclusive }: Counts, runs: number): string[] => [
  percent(pass, runs),
  percent(regression, runs),
  percent(inconclusive, runs),
];

interface AbTable {
  readonly title: string;
  readonly machine: Machine;
  readonly thresholds: readonly number[];
  readonly maxPairs: number;
  readonly runs: number;
}

function abTable({ title, machine, thresholds, maxPairs, runs }: AbTable): string[] {
  const rows = thresholds.flatMap((threshold) =>
    [0, 0.03, 0.05, 0.1].map((loss) => {
      let pairs = 0;
      const counts = answers(runs, (lab) => {
        const found = simulateAb(lab, machine, 1 / (1 - loss), { threshold, precision: 0.02, maxPairs });
        pairs += found.pairs;
        return found.verdict;
      });
      const mean = (pairs / runs).toFixed(1);
      return line([`${(100 * threshold).toFixed(1)}%`, changeText(loss), ...cells(counts, runs), mean]);
    }),
  );
  const spread = `launches differ by ${(100 * spreadOf(machine)).toFixed(1)}% (standard deviation)`;
  return [
    `### ${title}`,
    '',
    `${spread}; --precision 2%, --max-pairs ${maxPairs}; ${runs} comparisons a row.`,
    '',
    ...head(['threshold', 'true change', 'pass (0)', 'regression (5)', 'cannot tell (6)', 'pairs run']),
    ...rows,
    '',
  ];
}

interface StoredTable {
  readonly title: string;
  readonly machine: Machine;
  readonly setting: StoredSetting;
  readonly runs: number;
}

function storedRows({ title, machine, setting, runs }: StoredTable): string[] {
  return [0, 0.05, 0.1, 0.2].map((loss) => {
    const counts = answers(runs, (lab) => simulateStored(lab, machine, 1 / (1 - loss), setting));
    return line([title, changeText(loss), ...cells(counts, runs)]);
  });
}

const steadyMachine: Machine = { ...h200, sessionDeviation: 0 };
const stored = { threshold: 0.05, launches: 3, history: 10, trusted: 'sessions', cases: 1 } as const;

function storedTable(): string[] {
  const runs = 1_000;
  const settings: readonly StoredTable[] = [
    { title: '3 launches, no history', machine: h200, setting: { ...stored, history: 0 }, runs },
    { title: '3 launches, history of 10 sessions', machine: h200, setting: stored, runs },
    {
      title: 'the same, 12 cases in one gate',
      machine: h200,
      setting: { ...stored, cases: 12 },
      runs: 1_000,
    },
    {
      title: 'sessions do not differ: history of 20, 5 launches',
      machine: steadyMachine,
      setting: { ...stored, history: 20, launches: 5 },
      runs,
    },
    {
      title: 'sessions do not differ, --noise launches, 5 launches',
      machine: steadyMachine,
      setting: { ...stored, history: 0, launches: 5, trusted: 'launches' },
      runs,
    },
    {
      title: 'sessions do differ, and --noise launches says they do not',
      machine: h200,
      setting: { ...stored, history: 0, trusted: 'launches' },
      runs,
    },
  ];
  return [
    ...head(['setting', 'true change', 'pass (0)', 'regression (5)', 'cannot tell (6)']),
    ...settings.flatMap(storedRows),
  ];
}

/** The whole of bench/gate.md. */
export function gateSimulationReport(): string {
  const sessions = `${(100 * h200.sessionDeviation).toFixed(1)}%`;
  return [
    '# False alarms and power of `superoffload gate`',
    '',
    'Made by `npx tsx bench/gate.ts` from recorded step times (`measured/gate-steps.json`, with their sources); a fixed',
    'seed, so that it repeats. Every row goes through the code of the program: steps are resampled in blocks of four',
    'from recorded launches (they follow one another), launches get a recorded deviation between launches, sessions one',
    'of the spread between recorded sessions; then warm-up, median, noise, and the rule decide.',
    '',
    `The rule: ${gateRule}.`,
    '',
    'A true change that equals the threshold lies on the line: a gate that says "regression" only past the threshold',
    'answers it in one half of all cases at best. What it must not do is pass it. To find a true 5% nearly always, the',
    'threshold has to be below 5%: 2.5% leaves room for the noise on both sides.',
    '',
    '## In turns on one machine: `gate --ab`',
    '',
    ...abTable({ title: 'H200', machine: h200, thresholds: [0.05, 0.025], maxPairs: 20, runs: 1_000 }),
    ...abTable({
      title: 'Two CPU cores, quiet',
      machine: quietCpu,
      thresholds: [0.05],
      maxPairs: 20,
      runs: 1_000,
    }),
    ...abTable({
      title: 'Two CPU cores, shared',
      machine: cpu,
      thresholds: [0.05],
      maxPairs: 10,
      runs: 1_000,
    }),
    '## Stored runs of another day: `gate --baseline`',
    '',
    `H200 noise, --threshold 5%. Sessions differ by ${sessions} (standard deviation): each was another machine of one kind.`,
    '',
    ...storedTable(),
    '',
    'With machines that differ by that much no number of launches of one day finds 5%: the gate says so (6) and does not',
    'guess. `gate --ab` finds it, because both sides meet the same machine. `--noise launches` is right only where',
    'sessions do not differ: the last rows show what it costs where they do.',
    '',
  ].join('\n');
}
