import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { MetricName } from '../../core/gate/metric.ts';
import type { CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .description(
      'hold the results of B against those of A: ratios with their intervals, what else differed, and what makes a ' +
        'ratio unfair',
    )
    .argument('<a>', `the baseline: ${sourceWords}`)
    .argument('<b>', 'what is held against it')
    .option(
      '--metric <names>',
      `of ${metricNames.join(', ')} (default: ${defaultMetrics.join(',')})`,
      parseMetrics,
    )
    .option('--case <filter...>', 'only cases such as mode=prism,model=2B, or with this in their id')
    .option('--case-a <filter...>', 'of A only these cases too: two modes of one source, for example')
    .option('--case-b <filter...>', 'of B only these cases too')
    .addOption(new Option('--json', 'print JSON').conflicts('markdown'))
    .addOption(new Option('--markdown', 'print Markdown'))
    .action(async (a, b, options) => {
      const { compareResults } = await import('../../workflows/compare/compare.ts');
      const comparison = await compareResults(io.context, {
        ...{ a, b, metrics: options.metric ?? defaultMetrics, filters: options.case ?? [] },
        ...{ filtersOfA: options.caseA ?? [], filtersOfB: options.caseB ?? [] },
      });
      if (options.json === true) {
        io.print(JSON.stringify(comparison, null, 2));
      } else if (options.markdown === true) {
        const { comparisonMarkdown } = await import('../../core/compare/markdown.ts');
        io.print(comparisonMarkdown(comparison));
      } else {
        const { comparisonText } = await import('../text/compare.ts');
        io.print(comparisonText(comparison));
      }
    });
};

const sourceWords =
  "runs (all), last, a run's id or a part of it, a tag, a campaign, a folder, a file of records, an archive";

/** Written here again: the rules are loaded only when they are needed (test/cli/compare.test.ts holds them equal). */
const metricNames = [
  'modelTflopsPerGpu',
  'tokensPerSecond',
  'mfu',
  'stepMs',
  'peakGpuGiB',
  'peakHostGiB',
] as const satisfies MetricName[];
const defaultMetrics = [
  'stepMs',
  'modelTflopsPerGpu',
  'peakGpuGiB',
  'peakHostGiB',
] as const satisfies MetricName[];

function parseMetrics(text: string, before: readonly MetricName[] = []): readonly MetricName[] {
  const metrics = text.split(',').map((word) => {
    const name = word.trim() === 'tflopsPerGpu' ? 'modelTflopsPerGpu' : word.trim();
    const metric = metricNames.find((known) => known === name);
    if (metric === undefined) {
      throw new InvalidArgumentError(
        `There is no metric "${word}". Expected some of ${metricNames.join(', ')}.`,
      );
    }
    return metric;
  });
  return [...new Set([...before, ...metrics])];
}
