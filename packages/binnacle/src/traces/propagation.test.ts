import { defaultTextMapSetter, INVALID_SPAN_CONTEXT, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createExtract, createPropagator } from './propagation.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const GOOD = `00-${TRACE}-${SPAN}-01`;
const extract = createExtract(createPropagator(['tracecontext', 'baggage'], { passThrough: false }));

describe('traceparent', () => {
  test.each([
    [GOOD, true],
    [`00-${TRACE}-${SPAN}-00`, true],
    [`cc-${TRACE}-${SPAN}-01-what-comes-later`, true],
    [[GOOD], true],
    ['', false],
    ['nonsense', false],
    [`ff-${TRACE}-${SPAN}-01`, false],
    [`00-${TRACE}-${SPAN}-01-more`, false],
    [`00-${'0'.repeat(32)}-${SPAN}-01`, false],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, false],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`, false],
    [`00-${TRACE}-${SPAN}-1`, false],
    [`${GOOD}, ${GOOD}`, false],
    [[GOOD, GOOD], false],
    [[], false],
    [`cc-${TRACE}-${SPAN}-01-${'x'.repeat(20_000)}`, false],
    [undefined, false],
  ])('%j is used: %s', (traceparent, used) => {
    const found = trace.getSpanContext(extract({ traceparent }));
    if (used) expect(found).toMatchObject({ traceId: TRACE, spanId: SPAN, isRemote: true });
    else expect(found).toBeUndefined();
  });

  test('without it tracestate is not read', () => {
    expect(trace.getSpanContext(extract({ tracestate: 'a=1' }))).toBeUndefined();
  });

  test('tracestate comes in parts too', () => {
    const found = trace.getSpanContext(extract({ traceparent: GOOD, tracestate: ['a=1', 'b=2'] }));
    expect(found?.traceState?.serialize()).toBe('a=1,b=2');
  });
});

describe('baggage', () => {
  const entries = (baggage: string | string[]): [string, string][] =>
    (propagation.getBaggage(extract({ baggage }))?.getAllEntries() ?? []).map(([key, { value }]) => [key, value]);

  test('is read, in parts too, without what is malformed', () => {
    expect(entries(['a=1,b=%20x', 'c=3;meta,=4,d,e=%E0%A4%A'])).toEqual([
      ['a', '1'],
      ['b', ' x'],
      ['c', '3'],
    ]);
  });

  test('is bounded by count and size', () => {
    const many = Array.from({ length: 1000 }, (_, i) => `k${i}=v`).join(',');
    expect(entries(many)).toHaveLength(180);
    const large = Array.from({ length: 10 }, (_, i) => `k${i}=${'v'.repeat(1500)}`).join(',');
    expect(entries(large)).toHaveLength(5);
    expect(entries(`k=${'v'.repeat(1_000_000)}`)).toEqual([]);
  });
});

test('anything may come in; nothing is thrown', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 300 }),
    fc.array(fc.string({ maxLength: 100 })),
    fc.constant(undefined),
  );
  fc.assert(
    fc.property(fc.record({ traceparent: value, tracestate: value, baggage: value }), (headers) => {
      extract(headers);
    }),
  );
  const hostile = new Proxy({}, { get: () => fail() }) as Record<string, string>;
  expect(extract(hostile)).toBe(ROOT_CONTEXT);
});

function fail(): never {
  throw new Error('no');
}

test.each([
  [['tracecontext'] as const, true, false],
  [['baggage'] as const, false, true],
  [[] as const, false, false],
])('OTEL_PROPAGATORS %j', (names, hasTrace, hasBaggage) => {
  const only = createExtract(createPropagator(names, { passThrough: false }));
  const context = only({ traceparent: GOOD, baggage: 'a=1' });
  expect(trace.getSpanContext(context) !== undefined).toBe(hasTrace);
  expect(propagation.getBaggage(context) !== undefined).toBe(hasBaggage);
});

test.each([
  {},
  { host: 'example.com' },
  { traceparent: GOOD },
  { baggage: 'a=1' },
  { tracestate: 'a=1' },
  { traceparent: GOOD, tracestate: 'a=1', baggage: 'b=2' },
])('without a look at other headers %j says the same', (headers) => {
  const propagator = createPropagator(['tracecontext', 'baggage'], { passThrough: false });
  // Another propagator's headers would have to be looked for too.
  expect([...propagator.fields()].sort()).toEqual(['baggage', 'traceparent', 'tracestate']);
  const ours = createExtract(propagator, true);
  const [quick, whole] = [ours(headers), extract(headers)];
  expect(trace.getSpanContext(quick)).toEqual(trace.getSpanContext(whole));
  expect(propagation.getBaggage(quick)?.getAllEntries()).toEqual(propagation.getBaggage(whole)?.getAllEntries());
});

test('with tracing off what came in goes out, although the active span has no ids', () => {
  const propagator = createPropagator(['tracecontext', 'baggage'], { passThrough: true });
  const incoming = createExtract(propagator)({ traceparent: GOOD, tracestate: 'a=1', baggage: 'b=2' });
  const active = trace.setSpan(incoming, trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
  const headers: Record<string, string> = {};
  propagator.inject(active, headers, defaultTextMapSetter);
  expect(headers).toEqual({ traceparent: GOOD, tracestate: 'a=1', baggage: 'b=2' });
  const none: Record<string, string> = {};
  propagator.inject(
    trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext(INVALID_SPAN_CONTEXT)),
    none,
    defaultTextMapSetter,
  );
  expect(none).toEqual({});
});
