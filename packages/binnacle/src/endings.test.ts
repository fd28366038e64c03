import { ROOT_CONTEXT } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { runInScope } from './context.ts';
import { errorTypeOf, outcomeOf, requestInHand, signalInHand } from './endings.ts';

class APIUserAbortError extends Error {}
class APIConnectionTimeoutError extends Error {}
const timeout = new DOMException('too late', 'TimeoutError');
const abort = new DOMException('left', 'AbortError');
const named = (name: string): Error => Object.assign(new Error('x'), { name });

test.each([
  ['an error', new TypeError('x'), undefined, 'error'],
  ['what is no error', 'AbortError', undefined, 'error'],
  ['nothing', undefined, undefined, 'error'],
  ['an error that only says timeout', new Error('TimeoutError'), undefined, 'error'],
  ['a timeout', timeout, undefined, 'timeout'],
  ['a timeout by name', named('TimeoutError'), undefined, 'timeout'],
  ['an abort', abort, undefined, 'cancelled'],
  ['an abort by name', named('AbortError'), undefined, 'cancelled'],
  ["an SDK's abort, known by its class", new APIUserAbortError(), undefined, 'cancelled'],
  ["an SDK's timeout, known by its class", new APIConnectionTimeoutError(), undefined, 'timeout'],
  ['any error once the signal was aborted', new TypeError('x'), AbortSignal.abort(), 'cancelled'],
  ['any error once time ran out', new TypeError('x'), AbortSignal.abort(timeout), 'timeout'],
  ['an abort once time ran out', abort, AbortSignal.abort(timeout), 'timeout'],
  ['an error while the signal stands', new TypeError('x'), new AbortController().signal, 'error'],
])('%s', (_, error, signal, outcome) => {
  expect(outcomeOf(error, signal)).toBe(outcome);
});

test("the signal in hand is the session's own, else the carrier's", () => {
  const carrier = { signal: AbortSignal.abort(), declare() {}, whenSettled() {}, closing: {} };
  const signal = AbortSignal.abort(timeout);
  const within = (request: object) =>
    runInScope({ request: { requestId: 'a', ...request }, otel: ROOT_CONTEXT }, () => [
      signalInHand(),
      outcomeOf(new Error('x')),
    ]);
  expect(within({ carrier })).toEqual([carrier.signal, 'cancelled']);
  expect(within({ carrier, signal })).toEqual([signal, 'timeout']);
  expect(within({})).toEqual([undefined, 'error']);
  expect(signalInHand()).toBeUndefined();
});

test('the request in hand has the signal of what carries it, until a session has its own', () => {
  const carrier = { signal: new AbortController().signal, declare() {}, whenSettled() {}, closing: {} };
  const signal = AbortSignal.abort(timeout);
  const within = (request: object) =>
    runInScope({ request: { requestId: 'a', ...request }, otel: ROOT_CONTEXT }, () => requestInHand()?.signal);
  expect(within({ carrier })).toBe(carrier.signal);
  expect(within({ carrier, signal })).toBe(signal);
  expect(within({})).toBeUndefined();
  expect(requestInHand()).toBeUndefined();
});

describe('errorTypeOf', () => {
  test.each([
    ['a status', Object.assign(new Error('x'), { status: 429 }), '429'],
    ['a status that is none', Object.assign(new Error('x'), { status: 0 }), 'Error'],
    ['a code', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['a class', new RangeError('x'), 'RangeError'],
    ['a class that left its name alone', new APIUserAbortError(), 'APIUserAbortError'],
    ['a name', named('SearchError'), 'SearchError'],
    ['a DOMException, whose code is a number', timeout, 'TimeoutError'],
    ['a code that would grow the series', Object.assign(new Error('x'), { code: 'user 4711 not found' }), 'Error'],
    ['a very long name', named('x'.repeat(65)), '_OTHER'],
    ['an object', { code: 'E_X' }, 'E_X'],
    ['an object without anything', Object.create(null), '_OTHER'],
    ['a text', 'user 4711 not found', '_OTHER'],
    ['null', null, '_OTHER'],
  ])('%s', (_, error, type) => {
    expect(errorTypeOf(error)).toBe(type);
  });
});
