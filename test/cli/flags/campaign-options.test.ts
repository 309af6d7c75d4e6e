import { Command } from '@commander-js/extra-typings';
import { describe, expect, it } from 'vitest';
import { campaignRequest } from '../../../src/cli/flags/campaign-options.ts';
import { declareRun } from '../../../src/cli/commands/campaign.ts';
import type { CampaignFile } from '../../../src/core/campaign/campaign-file.ts';
import type { CampaignRequest } from '../../../src/workflows/campaign/request.ts';

const stored: CampaignFile = {
  ...{ schemaVersion: 1, name: 'throughput', experiment: 'throughput', experimentHash: '', createdUtc: '' },
  ...{ cells: [], variants: [] },
  options: { steps: 12, system: 'cpu', filter: ['chips=1'], repeat: 3, retry: ['none'] },
};

/** What argv asks for, of a new campaign or of one that is stored. */
function requestOf(argv: readonly string[], file: CampaignFile | null = null): CampaignRequest {
  let request: CampaignRequest | undefined;
  const program = new Command().exitOverride();
  declareRun(program)
    .argument('<experiment>')
    .action((experiment, options, run) => {
      const given = Object.keys(options).filter((name) => run.getOptionValueSource(name) === 'cli');
      request = campaignRequest({ options, given }, { name: experiment, experiment, stored: file });
    });
  program.parse(['run', 'throughput', ...argv], { from: 'user' });
  return request!;
}

describe('the flags of a campaign', () => {
  it('are those of the experiment where nothing is said', () => {
    const request = requestOf([]);
    expect(request.flags).toEqual({});
    expect(request).toMatchObject({ options: {}, filter: [], only: [], repeat: 1, retry: ['infra'] });
    expect(request).toMatchObject({ system: 'local', stack: 'pip', reuse: true, withinMs: null });
  });

  it('are kept as they were given, less those of the one call', () => {
    const request = requestOf([
      '--chips',
      '4',
      '--filter',
      'mode=prism',
      '--max-hours',
      '2',
      '--json',
      '--name',
      'x',
    ]);
    expect(request.options).toEqual({ chips: 4, filter: ['mode=prism'] });
    expect(request).toMatchObject({ flags: { chips: 4 }, filter: ['mode=prism'], withinMs: 7_200_000 });
  });

  it('are those of then when a campaign goes on, less what is given again', () => {
    const request = requestOf(['--resume', '--steps', '20', '--retry', 'hang'], stored);
    expect(request).toMatchObject({ flags: { steps: 20 }, system: 'cpu', repeat: 3, retry: ['hang'] });
    expect(request.options).toEqual({ ...stored.options, steps: 20, retry: ['hang'] });
  });

  it('choose among the cases when a campaign goes on, and change none', () => {
    const request = requestOf(['--resume', '--filter', 'mode=prism'], stored);
    expect(request).toMatchObject({ filter: ['chips=1'], only: ['mode=prism'] });
    expect(request.options).toEqual(stored.options);
  });

  it('of a look plan nothing to start', () => {
    expect(requestOf(['--list']).dryRun).toBe(true);
    expect(requestOf(['--dry-run']).dryRun).toBe(true);
    expect(requestOf([]).dryRun).toBe(false);
  });

  it('can turn the rule for the batch and the taking over off', () => {
    expect(requestOf(['--fixed-batch', '--no-reuse'])).toMatchObject({
      flags: { batchRule: false },
      reuse: false,
    });
  });
});
