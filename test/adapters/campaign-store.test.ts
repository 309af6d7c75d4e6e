import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  campaignDriver,
  campaignPaths,
  listCampaigns,
  lockCampaign,
  openCampaignJournal,
  readCampaign,
  readCampaignJournal,
  writeCampaign,
} from '../../src/adapters/campaign-store.ts';
import type { CampaignFile } from '../../src/core/campaign/campaign-file.ts';
import type { CampaignEvent } from '../../src/core/campaign/journal.ts';

const home = mkdtempSync(join(tmpdir(), 'campaign-store-'));
afterAll(() => {
  rmSync(home, { recursive: true });
});

const utc = '2026-01-02T03:04:05.678Z';
const attempt = (runId: string): CampaignEvent => ({ type: 'attempt', utc, key: 'k', runId });

describe('the journal of a campaign', () => {
  it('has every event on the disk at once', async () => {
    const journal = await openCampaignJournal(home, 'plain');
    journal.append(attempt('1'));
    expect(readCampaignJournal(home, 'plain')).toEqual([attempt('1')]);
    journal.append(attempt('2'));
    expect(journal.events).toEqual([attempt('1'), attempt('2')]);
    journal.close();
    const again = await openCampaignJournal(home, 'plain');
    expect(again.events).toEqual([attempt('1'), attempt('2')]);
    again.close();
  });

  it('goes on behind a line that was cut, without losing the next one', async () => {
    const first = await openCampaignJournal(home, 'cut');
    first.append(attempt('1'));
    first.close();
    appendFileSync(campaignPaths(home, 'cut').journal, '{"type":"result","key":"k","run');
    const second = await openCampaignJournal(home, 'cut');
    second.append(attempt('2'));
    second.close();
    expect(readCampaignJournal(home, 'cut')).toEqual([attempt('1'), attempt('2')]);
  });

  it('is none where there is no campaign', () => {
    expect(readCampaignJournal(home, 'absent')).toEqual([]);
  });
});

describe('campaign.json', () => {
  const file: CampaignFile = {
    ...{ schemaVersion: 1, name: 'kept', experiment: 'throughput', experimentHash: 'h', createdUtc: utc },
    ...{ options: { steps: 3 }, cells: [], variants: [] },
  };

  it('is read as it was written, and listed', async () => {
    await writeCampaign(home, file);
    expect(await readCampaign(home, 'kept')).toEqual(file);
    expect(await readCampaign(home, 'absent')).toBeUndefined();
    expect(await listCampaigns(home)).toContain('kept');
  });

  it.each([
    ['{"schemaVersion": 2, "cells": []}', 'schema version 2 is newer than 1'],
    ['{"schemaVersion": 1}', 'not a campaign that superoffload wrote'],
    ['null', 'not a campaign that superoffload wrote'],
    ['{', 'not valid JSON'],
  ])('is refused as %s', async (text, message) => {
    const path = campaignPaths(home, 'damaged').file;
    mkdirSync(campaignPaths(home, 'damaged').folder, { recursive: true });
    writeFileSync(path, text);
    await expect(readCampaign(home, 'damaged')).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('the right to drive a campaign', () => {
  it('belongs to one tool until it gives it back', async () => {
    const mutex = await lockCampaign(home, 'driven');
    expect(campaignDriver(home, 'driven')).toBe(process.pid);
    await expect(lockCampaign(home, 'driven')).rejects.toMatchObject({ code: 'usage' });
    await mutex.release();
    expect(campaignDriver(home, 'driven')).toBeUndefined();
  });

  it('is taken over from a tool that is dead', async () => {
    const mutex = await lockCampaign(home, 'dead');
    const owner = join(campaignPaths(home, 'dead').mutex, 'owner.json');
    const before = JSON.parse(readFileSync(owner, 'utf8')) as object;
    // The same pid, of a process that started at another time.
    writeFileSync(owner, JSON.stringify({ ...before, started: '1' }));
    expect(campaignDriver(home, 'dead')).toBeUndefined();
    const next = await lockCampaign(home, 'dead');
    await next.release();
    await mutex.release();
  });
});
