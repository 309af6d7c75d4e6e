import { plainText } from '../../text/plain.ts';
import type { GateReport, GateRow } from '../report.ts';
import { gateRule } from '../report.ts';
import { rowText, rowTitle } from './words.ts';

/**
 * JUnit XML, one test case a reference: a regression is a failure, a failed run an error; what is open, missing or
 * excused is skipped with its reason, so that a job whose own exit status says more is not contradicted. Valid by the
 * schema of Ant's reports (windyroad/JUnit-Schema), the strictest in use, and by Jenkins' (xunit-plugin, junit-10).
 */
export function junitXml({ rows, startedUtc, baseline, verdict, notes }: GateReport): string {
  const count = (kind: string): number => rows.filter((row) => elementOf(row) === kind).length;
  const suite = [
    ['name', 'superoffload gate'],
    ['package', 'superoffload'],
    ['id', '0'],
    // Ant's schema allows neither milliseconds nor a zone.
    ['timestamp', startedUtc.slice(0, 19)],
    ['hostname', 'localhost'],
    ['tests', String(rows.length)],
    ['failures', String(count('failure'))],
    ['errors', String(count('error'))],
    ['skipped', String(count('skipped'))],
    ['time', '0'],
  ] as const;
  const properties = [
    ['baseline', baseline],
    ['verdict', verdict],
    ['rule', gateRule],
  ] as const;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite${attributes(suite)}>`,
    '    <properties>',
    ...properties.map(
      ([name, value]) =>
        `      <property${attributes([
          ['name', name],
          ['value', value],
        ])}/>`,
    ),
    '    </properties>',
    ...rows.map(testCase),
    `    <system-out>${xmlText(notes.join('\n'))}</system-out>`,
    '    <system-err></system-err>',
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function elementOf({ status }: GateRow): 'failure' | 'error' | 'skipped' | null {
  if (status === 'regression') return 'failure';
  if (status === 'failed') return 'error';
  return status === 'pass' || status === 'improved' || status === 'new' ? null : 'skipped';
}

function testCase(row: GateRow): string {
  const { case: subject, status } = row;
  const start = `    <testcase${attributes([
    ['name', rowTitle(row)],
    ['classname', `superoffload.gate.${subject.system}.${subject.mode}`],
    ['time', '0'],
  ])}`;
  const element = elementOf(row);
  if (element === null) return `${start}/>`;
  // Ant's schema gives a skipped test a message and no type.
  const type = element === 'skipped' ? [] : [['type', status] as const];
  const open = `<${element}${attributes([['message', row.reason], ...type])}>`;
  return `${start}>\n      ${open}${xmlText(rowText(row))}</${element}>\n    </testcase>`;
}

function attributes(pairs: readonly (readonly [name: string, value: string])[]): string {
  return pairs.map(([name, value]) => ` ${name}="${xmlAttribute(value)}"`).join('');
}

/** What XML 1.0 cannot write at all, beyond what {@link plainText} takes out. */
const unwritable = /[\u{FFFE}\u{FFFF}]/gu;

/** Text between tags; colours of a terminal and other control characters are taken out. */
export function xmlText(text: string): string {
  return plainText(text)
    .replace(unwritable, '\u{FFFD}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function xmlAttribute(text: string): string {
  return xmlText(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}
