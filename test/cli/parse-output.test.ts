import { describe, expect, it } from 'vitest';
import { stepWriter } from '../../src/cli/parse-output.ts';

describe('parse --format csv', () => {
  it('lets no spreadsheet run what a log says, and keeps counts exact', () => {
    let text = '';
    const writer = stepWriter(
      'csv',
      (piece) => {
        text += piece;
      },
      () => undefined,
    );
    writer.write('=cmd|x', { iteration: 1_234_567_891, loss: -0.5, note: '+HYPERLINK("x")' });
    writer.close();
    expect(text).toBe(`file,iteration,loss,note\n"'=cmd|x",1234567891,-0.5,"'+HYPERLINK(""x"")"\n`);
  });
});
