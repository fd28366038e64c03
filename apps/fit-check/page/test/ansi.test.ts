import { describe, expect, it } from 'vitest';
import { createPretty } from '../../../../packages/binnacle/src/logs/pretty.ts';
import { toHtml, toText } from './ansi.ts';

const ESC = '\u001b';

describe('a painted line', () => {
  it('becomes text and spans, each closed', () => {
    expect(toHtml(`a ${ESC}[90mb${ESC}[0m <c> ${ESC}[32md`)).toBe(
      'a <span class="faint">b</span> &lt;c&gt; <span class="green">d</span>',
    );
    expect(toHtml(`${ESC}[31ma${ESC}[33mb${ESC}[0m`)).toBe('<span class="red">a</span><span class="yellow">b</span>');
    expect(toText(`a ${ESC}[90mb${ESC}[0m`)).toBe('a b');
  });

  it('has no other code', () => {
    for (const code of ['35m', '2J', '1;31m']) expect(() => toHtml(`${ESC}[${code}x`)).toThrow();
  });

  it.each(['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'])('of the log is known: %s', (level) => {
    const exception = { type: 'Error', message: 'no', stack: 'Error: no\n    at <x>' };
    const pretty = createPretty({ colour: true })(lineOf(level, exception));
    expect(pretty).toContain(ESC);
    const html = pretty.split('\n').map(toHtml).join('\n');
    const shown = html
      .replaceAll(/<[^>]+>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&');
    expect(shown).toBe(createPretty({ colour: false })(lineOf(level, exception)));
    expect(html.match(/<span /g)?.length).toBe(html.match(/<\/span>/g)?.length);
  });
});

const lineOf = (level: string, exception: object): string =>
  `${JSON.stringify({ timestamp: '2026-11-26T09:30:00Z', level, logger: 'x', message: '<m>', a: '"b" & c', exception })}\n`;
