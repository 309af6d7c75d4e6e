import { describe, expect, it } from 'vitest';
import { figureHtml } from '../../../../../src/core/figures/render/text/html.ts';
import { figureCsv, figureMarkdown, figureTables } from '../../../../../src/core/figures/render/text/text.ts';
import { mark, sampleFigure10, sampleFigure13 } from '../../sample-figure.ts';
import { sampleFunctional, sampleHostile } from '../../sample-oddities.ts';

describe('a figure as Markdown', () => {
  it('says the same as the picture: machine, differences, each cell by its source, notes', () => {
    const text = figureMarkdown(sampleFigure10());
    expect(text).toContain('## Figure 10: Throughput on one chip');
    expect(text).toContain('On 1 x NVIDIA H200 141 GB');
    expect(text).toContain('Not as in the paper: bf16; paper fp16');
    expect(text).toContain('| model size, parameters | series | measured | predicted | paper | notes |');
    expect(text).toContain('| 2B | FSDP-CPU-Offload | \u2013 | \u2013 | 13.1 |');
    expect(text).toMatch(/\| 5B \| DDP \(ZeRO-0\) \| OOM (host|GPU) \| OOM (host|GPU) \| OOM \|/);
    expect(text).toMatch(/\| 10B \| ZeRO-Offload \| failed \| [\d.]+ \| 118.4 \| crash in the first step/);
    expect(text).toMatch(/\| 25B \| SuperOffload \(PRISM\) \| not run \|/);
    expect(text).toMatch(/\| 2B \| SuperOffload \(PRISM\) \| [\d.]+ \[[\d.]+, [\d.]+\] \|/);
    expect(figureMarkdown(sampleFigure13())).toContain('\u2265 1.05');
    expect(figureMarkdown(sampleFunctional())).toContain('not how fast it is');
  });

  it('lets no text out of its cell', () => {
    const text = figureMarkdown(sampleHostile());
    expect(text).not.toMatch(/<(script|img|\/svg)/);

    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    expect(new Set(rows.map((row) => row.replaceAll('\\|', '').split('|').length))).toEqual(new Set([8]));
  });
});

describe('a figure as CSV', () => {
  it('has a line for each mark', () => {
    const data = sampleFigure10();
    const lines = figureCsv(data).trimEnd().split('\n');
    expect(lines[0]).toBe('figure,system,functional,panel,chips,x,series,source,state,value,low,high,unit,interval,memory,runs,notes'); // prettier-ignore
    expect(lines).toHaveLength(data.marks.length + 1);
    expect(lines).toContain('10,h200,false,1,1,2B,prism,published,value,203.1,,,"TFLOPS per GPU, recomputation excluded",,,,'); // prettier-ignore
  });

  it('runs nothing in a spreadsheet', () => {
    const cells = figureCsv({ ...sampleFigure13(), marks: [mark({ panel: '=1+1', series: '@SUM(A1)', x: '+1', source: 'measured', state: 'value', value: -1, notes: ['-2'] })] }); // prettier-ignore
    expect(cells.split('\n')[1]).toContain(`"'=1+1",,"'+1","'@SUM(A1)",measured,value,-1,`);
    expect(cells).toContain(`"'-2"`);
  });
});

describe('a figure as a page', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" role="img"><title>t</title></svg>';

  it('has the picture, a table for each panel, and asks nothing of a network', () => {
    const page = figureHtml(sampleFigure10(), svg);
    expect(page).toContain(svg);
    expect(page).toContain('<html lang="en">');
    expect(page).toContain("default-src 'none'");
    expect(page.match(/<caption>/g)).toHaveLength(1);
    expect(page.match(/<th scope="row">/g)).toHaveLength(figureTables(sampleFigure10())[0]!.rows.length);
    expect(page).not.toMatch(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//);
    expect(page).not.toContain('<script');
  });

  it('shows hostile text as text', () => {
    const page = figureHtml(sampleHostile(), svg);
    expect(page).not.toMatch(/<script|<img|onerror=alert\(2\)>/);
    expect(page.match(/<\/svg>/g)).toHaveLength(1);
    expect(page).toContain('&#60;script&#62;alert(1)');

    expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/);
  });
});
