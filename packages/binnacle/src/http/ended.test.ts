import { expect, test } from 'vitest';
import { drawIds } from '../random.ts';
import type { RequestSpan } from '../signals.ts';
import { Ended } from './ended.ts';
import type { Exchange } from './exchange.ts';
import type { Kind } from './kind.ts';

const exchange = { request: { requestId: 'r1' }, ids: undefined, path: '/' } as unknown as Exchange;

test('a place that is used again holds nothing of the one before', () => {
  const place = new Ended();
  const span = { drawn: drawIds(), parent: { spanId: 'a' }, startedAt: 1 } as unknown as RequestSpan;
  place.take(exchange, {} as Kind, span, 'notes', 2);
  expect(place.drawn).toBe(span.drawn);
  place.take(exchange, {} as Kind, undefined, undefined, 3);
  expect(place).toEqual(new Ended().take(exchange, {} as Kind, undefined, undefined, 3));
  expect([place.drawn, place.parent, place.notes, place.hasSpan, place.hasLine]).toEqual([
    undefined,
    undefined,
    '',
    false,
    false,
  ]);
});
