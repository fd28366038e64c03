import { TraceFlags } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { SPAN_BOUNDS } from './span-queue.ts';
import { estimateSpanBytes } from './span-size.ts';
import { finishedSpan } from './testing-spans.test-helper.ts';

const span = (overrides: Partial<ReadableSpan>) => finishedSpan('GET /items', TraceFlags.SAMPLED, overrides);
const event = { name: 'chunk', time: [0, 0] as [number, number], attributes: { n: 1, text: 'abc' } };
const link = { context: finishedSpan('x').spanContext(), attributes: { why: 'batch' } };

describe('the estimate is near what is sent, and not below it', () => {
  test.each<[string, Partial<ReadableSpan>]>([
    ['a small span', {}],
    ['many attributes', { attributes: Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`key.${i}`, i])) }],
    ['a long text', { attributes: { text: 'x'.repeat(100_000) } }],
    ['lists', { attributes: { names: new Array(500).fill('abcdef'), numbers: new Array(500).fill(12) } }],
    ['events', { events: new Array(100).fill(event) }],
    ['links', { links: new Array(100).fill(link) }],
    ['a status', { status: { code: 2, message: 'x'.repeat(3000) } }],
  ])('%s', (_, overrides) => {
    const sent = ProtobufTraceSerializer.serializeRequest([span(overrides)])?.length ?? 0;
    const estimate = estimateSpanBytes(span(overrides));
    expect(estimate).toBeGreaterThanOrEqual(sent * 0.9 - 64);
    expect(estimate).toBeLessThan(sent * 3 + 128);
  });
});

test('the work is bounded: what has too much on it is too large, and not looked through', () => {
  let looked = 0;
  const attributes: Record<string, string> = {};
  for (let i = 0; i < 100_000; i++) {
    Object.defineProperty(attributes, `k${i}`, {
      enumerable: true,
      get() {
        looked += 1;
        return 'v';
      },
    });
  }
  expect(estimateSpanBytes(span({ attributes }))).toBeGreaterThan(SPAN_BOUNDS.queue);
  expect(looked).toBeLessThan(50_000);
});

test('values that the API does not know do not throw', () => {
  const circular: Record<string, unknown> = { a: null, b: undefined, c: 1n, d: Symbol('x'), e: new Uint8Array(500) };
  expect(estimateSpanBytes(span({ attributes: circular as never }))).toBeGreaterThan(500);
  circular.self = circular;
  const ring: unknown[] = [];
  ring.push(ring);
  expect(estimateSpanBytes(span({ attributes: { ring } as never }))).toBeGreaterThan(500);
  expect(estimateSpanBytes(span({ attributes: circular as never }))).toBeGreaterThan(500);
  const sparse = { attributes: { list: [null, 'a', undefined] } };
  expect(estimateSpanBytes(span(sparse as never))).toBeGreaterThan(0);
});
