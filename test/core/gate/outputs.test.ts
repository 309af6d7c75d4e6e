import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { githubAnnotations } from '../../../src/core/gate/output/github.ts';
import { codeQuality, logSection } from '../../../src/core/gate/output/gitlab.ts';
import { junitXml } from '../../../src/core/gate/output/junit.ts';
import { gateMarkdown } from '../../../src/core/gate/output/markdown.ts';
import type { GateReport } from '../../../src/core/gate/report.ts';
import { gateText } from '../../../src/cli/text/gate.ts';
import { hold, launch, session } from './gate-runs.ts';

/** What a log, a name or a path may hold. */
const hostile =
  '</failure><script>alert("1")</script> & %0A::error::x :,\r\n::set-output name=a::b |`*_[x](http://e.vil)' +
  '\u001b[31mred\u001b]0;title\u0007\u0000\u0008 ]]> \ud800 \uffff @all #1';

function reportOf(): GateReport {
  const fast = { globalBatch: 16 };
  const reference = [...session(0, [1000, 1001, 999]), ...session(0, [500, 501, 499], { subject: fast })];
  const crashed = { ...launch({ outcome: 'crash', subject: fast }) };
  const named = [
    ...session(0, [1200, 1201, 1199]),
    { ...crashed, outcome: { ...crashed.outcome, reason: hostile } },
    launch({ subject: { globalBatch: 64 } }),
  ];
  const report = hold({ reference, named, metrics: ['modelTflopsPerGpu', 'peakGpuGiB'] });
  const missing = { ...report.rows[0]!, status: 'missing' as const, reason: hostile, hint: hostile };
  return { ...report, baseline: hostile, rows: [...report.rows, missing], notes: [hostile] };
}

const report = reportOf();

interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

/** expat, the parser that most readers of JUnit files stand on. */
function parseXml(text: string): Element {
  const program =
    'import json, sys, xml.etree.ElementTree as E\n' +
    'def tree(e): return {"tag": e.tag, "attributes": dict(e.attrib), "text": e.text or "", "children": [tree(c) for c in e]}\n' +
    'print(json.dumps(tree(E.fromstring(sys.stdin.buffer.read()))))';
  return JSON.parse(execFileSync('python3', ['-c', program], { input: text, encoding: 'utf8' })) as Element;
}

describe('JUnit XML', () => {
  const root = parseXml(junitXml(report));
  const [suite] = root.children;
  const cases = suite!.children.filter(({ tag }) => tag === 'testcase');

  it("has the elements and attributes of Ant's schema, in its order", () => {
    expect(root).toMatchObject({ tag: 'testsuites', attributes: {} });
    expect(Object.keys(suite!.attributes).sort()).toEqual(
      ['errors', 'failures', 'hostname', 'id', 'name', 'package', 'skipped', 'tests', 'time', 'timestamp'],
    ); // prettier-ignore
    expect(suite!.attributes['timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    const tags = suite!.children.map(({ tag }) => tag);
    expect(tags).toEqual(['properties', ...cases.map(() => 'testcase'), 'system-out', 'system-err']);
    for (const each of cases) {
      expect(Object.keys(each.attributes).sort()).toEqual(['classname', 'name', 'time']);
      expect(each.children.length).toBeLessThanOrEqual(1);
      for (const child of each.children) {
        const type = child.tag === 'skipped' ? [] : ['type'];
        expect(Object.keys(child.attributes).sort()).toEqual(['message', ...type]);
        expect(child.children).toEqual([]);
      }
    }
  });

  it('counts what it holds: a regression is a failure, a failed run an error, what is open is skipped', () => {
    const kinds = cases.map(({ children }) => children[0]?.tag ?? 'passed');
    expect(kinds).toEqual(['failure', 'passed', 'error', 'error', 'passed', 'skipped']);
    expect(suite!.attributes).toMatchObject({ tests: '6', failures: '1', errors: '2', skipped: '1' });
    expect(cases[0]!.children[0]!.text).toContain('ratio 0.833');
  });

  it('holds hostile text as text', () => {
    const { attributes, text } = cases[2]!.children[0]!;
    expect(attributes['message']).toContain('</failure><script>alert("1")</script> & %0A');
    expect(text).toContain(']]>');
    expect(`${attributes['message']}${text}`).not.toMatch(/[\u0000-\u0008\u001b\ud800\uffff]/u);
  });
});

describe('GitHub', () => {
  /** As the runner reads a command (actions/runner, ActionCommand): everything after the second `::` is the message. */
  function parse(line: string) {
    const match = /^::(\w+) (.*?)::(.*)$/.exec(line)!;
    const back = (text: string): string =>
      text
        .replaceAll('%2C', ',')
        .replaceAll('%3A', ':')
        .replaceAll('%0A', '\n')
        .replaceAll('%0D', '\r')
        .replaceAll('%25', '%');
    const properties = match[2]!.split(',').map((pair) => pair.split('='));
    return {
      level: match[1],
      properties: new Map(properties.map(([key, ...value]) => [key, back(value.join('='))] as const)),
      message: back(match[3]!),
    };
  }

  it('annotates what fails as errors and what is open as warnings, on one line each', () => {
    const lines = githubAnnotations(report, 'gate/a,b:c%.json');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['::error', '::error', '::error', '::warning']);
    for (const line of lines) expect(line).not.toMatch(/[\r\n]/);
    const failed = parse(lines[1]!);
    expect(failed.properties.get('file')).toBe('gate/a,b:c%.json');
    expect(failed.properties.get('title')).toContain('gate: failed: modelTflopsPerGpu: ');
    expect(failed.message).toContain(`crash: ${hostile}`);
    expect(githubAnnotations(report, null)[0]).not.toContain('file=');
  });

  it('shows ten of a kind at most, as GitHub does', () => {
    const many = { ...report, rows: Array.from({ length: 30 }, () => report.rows[0]!) };
    expect(githubAnnotations(many, null)).toHaveLength(10);
  });
});

describe('GitLab', () => {
  it('a Code Quality entry for every row that is not good, each with a fingerprint of its own', () => {
    const issues = codeQuality(report, 'gate/base.json', (text) => `hash ${text}`);
    expect(issues.map(({ severity }) => severity)).toEqual(['critical', 'blocker', 'blocker', 'minor']);
    expect(new Set(issues.map(({ fingerprint }) => fingerprint)).size).toBe(issues.length);
    expect(issues[0]).toMatchObject({
      check_name: 'superoffload-gate-regression',
      location: { path: 'gate/base.json', lines: { begin: 1 } },
    });
    expect(issues[0]!.description).not.toContain('\n');
  });

  it('a section of the log begins and ends as GitLab reads it', () => {
    expect(logSection('a_b', 'Title', 'one\ntwo', 5)).toBe(
      '\u001b[0Ksection_start:5:a_b\r\u001b[0KTitle\none\ntwo\n\u001b[0Ksection_end:5:a_b\r\u001b[0K',
    );
  });
});

describe('Markdown and the screen', () => {
  it('a table with what needs a look first; nothing of a name is markup, a link or a mention', () => {
    const text = gateMarkdown(report);
    expect(text).toMatch(/^## superoffload gate: FAILED/);
    const rows = text.split('\n').filter((line) => /^\| (failed|regression|missing|new|pass) /.test(line));
    expect(rows.map((line) => line.split(' ')[1])).toEqual([
      'failed',
      'failed',
      'regression',
      'missing',
      'new',
      'pass',
    ]);
    const columns = (line: string): number => line.replaceAll('\\|', '').split('|').length;
    expect(new Set(rows.map(columns)).size).toBe(1);
    expect(text).not.toMatch(/<script|[^\\]\[x\]|http:\/\/|\u001b/);
    expect(text).toContain('0.833 (0.8');
  });

  it('ends with the verdict and the rule, and lets nothing steer a terminal', () => {
    const text = gateText(report);
    expect(text.split('\n').at(-1)).toMatch(/^FAILED: against /);
    expect(text).toContain('Benjamini and Hochberg');
    expect(text).not.toMatch(/[\u0000\u0008\u001b]/);
    const many = {
      ...report,
      rows: Array.from({ length: 300 }, () => ({ ...report.rows[0]!, status: 'pass' as const })),
    };
    expect(gateText(many)).toContain('and 260 more that passed');
  });
});
