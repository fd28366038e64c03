import { createHash } from 'node:crypto';
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { createSignals } from '../../test/signals.ts';
import { toSafe } from '../logs/safe.ts';
import { createBudget } from '../logs/text.ts';
import { type Capture, CONTENT_LIMIT, Content, textOf } from './content.ts';

function write(capture: Capture, fill: (content: Content) => void) {
  const signals = createSignals();
  const span = signals.spans.start('chat', SpanKind.CLIENT, {}, ROOT_CONTEXT);
  const content = new Content({ capture, redact: (value) => toSafe('', value, createBudget()) });
  fill(content);
  content.write(span);
  span.end();
  const [ended] = signals.ended();
  return { attributes: ended?.attributes ?? {}, events: ended?.events ?? [] };
}

const MESSAGES = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: [{ type: 'text', text: 'My api_key=hunter2xyz please' }], password: 'hunter2xyz' },
];
const TEXT = 'Be kind.\nMy api_key=hunter2xyz please';

test('length and hash always, words never unless switched on', () => {
  const { attributes, events } = write('none', (content) => {
    content.input(MESSAGES);
    content.add('Hel');
    content.add('lo');
  });
  expect(attributes).toEqual({
    'binnacle.ai.input.length': TEXT.length,
    'binnacle.ai.input.hash': createHash('sha256').update(TEXT).digest('hex').slice(0, 32),
    'binnacle.ai.output.length': 5,
    'binnacle.ai.output.hash': createHash('sha256').update('Hello').digest('hex').slice(0, 32),
  });
  expect(events).toEqual([]);
});

test('words that are switched on are redacted, where they are asked for', () => {
  for (const capture of ['span', 'event', 'both'] as const) {
    const { attributes, events } = write(capture, (content) => {
      content.input(MESSAGES);
      content.output('fine');
    });
    const onSpan = attributes['gen_ai.input.messages'];
    const inEvent = events[0]?.attributes?.['gen_ai.input.messages'];
    expect([typeof onSpan, typeof inEvent]).toEqual([
      capture === 'event' ? 'undefined' : 'string',
      capture === 'span' ? 'undefined' : 'string',
    ]);
    const words = String(onSpan ?? inEvent);
    expect(words).toContain('Be kind.');
    expect(words).not.toContain('hunter2xyz');
  }
});

test('words are bounded by bytes, and cut between characters', () => {
  const { attributes } = write('span', (content) => content.input('ß'.repeat(CONTENT_LIMIT)));
  const words = String(attributes['gen_ai.input.messages']);
  expect(Buffer.byteLength(words)).toBeLessThanOrEqual(CONTENT_LIMIT + 3);
  expect(words).not.toContain('\uFFFD');
  expect(words.endsWith('…')).toBe(true);
});

test('an answer is its pieces in their order, however many, and whether or not it was asked for before', () => {
  for (const every of [Infinity, 1, 7, 100])
    for (const count of [0, 1, 63, 64, 65, 127, 128, 129, 1000]) {
      const content = new Content({ capture: 'none', redact: (value) => value });
      let whole = '';
      for (let n = 1; n <= count; n += 1) {
        content.add(`${n},`);
        whole += `${n},`;
        if (n % every === 0) expect(content.text).toBe(whole);
      }
      expect(content.text).toBe(whole === '' ? undefined : whole);
    }
});

test('an answer too long to be held is not hashed, and nothing of it is held', () => {
  const content = new Content({ capture: 'none', redact: (value) => value });
  for (let n = 0; n < 10; n += 1) content.add('x'.repeat(100_000));
  expect(content.text).toHaveLength(1_000_000);
  for (let n = 0; n < 200; n += 1) {
    content.add('x'.repeat(n === 0 ? 100_000 : 1));
    expect(content.text).toBeUndefined();
  }
});

test('text is found in any shape, and nothing throws', () => {
  const cycle: Record<string, unknown> = { text: 'a' };
  cycle.content = cycle;
  expect(textOf({ contents: 'not looked at', parts: [{ text: 'b' }, { content: [{ text: 'c' }] }] })).toBe('b\nc');
  expect(textOf(cycle)).toContain('a');
  expect(
    textOf({
      get text() {
        throw new Error('no');
      },
    }),
  ).toBe('');
  expect([undefined, null, 5, ''].map(textOf)).toEqual(['', '', '', '']);
});
