import fc from 'fast-check';

/** Texts that somebody may put into a log, a name or a path. Each would set `window.hacked` if a page let it. */
export const hostileTexts: readonly string[] = [
  '<script>window.hacked=1</script>',
  '</script><script>window.hacked=1</script>',
  '</style></title></textarea><img src=x onerror="window.hacked=1">',
  '"><svg onload=window.hacked=1>',
  "' onmouseover='window.hacked=1' x='",
  '" onfocus="window.hacked=1" autofocus tabindex="0',
  'javascript:window.hacked=1',
  ' java\nscript:window.hacked=1',
  '<a href="javascript:window.hacked=1">x</a>',
  '<iframe srcdoc="<script>parent.hacked=1</script>">',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '&lt;script&gt;window.hacked=1&lt;/script&gt;',
  '${window.hacked=1}',
  '\u001b[31mred\u001b[0m \u001b]8;;javascript:window.hacked=1\u0007link\u001b]8;;\u0007',
  '\u0000\u0001\u0008\u007f\u009b31m',
  '\ud800 lone \udfff',
  'evil\u202egnp.exe \u2066isolate\u2069 zero\ufeffwidth',
  '=HYPERLINK("http://example.invalid","x")',
  "+1+cmd|'/C calc'!A0",
  '@SUM(1+1)*cmd',
  '-2+3+cmd',
  '\t=1+1',
  '| a | b |\n| --- | --- |\n# title\n[x](javascript:window.hacked=1) `code` **bold** ![i](http://example.invalid/i.png)',
  `long ${'x'.repeat(200_000)}`,
  '%s%n ../../../../etc/passwd',
];

/** Any UTF-16 whatever, halves of characters included. */
export const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
});
