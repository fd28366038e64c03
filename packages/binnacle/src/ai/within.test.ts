import { createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import {
  activeContext,
  activeSpanContext,
  contextManager,
  currentRequest,
  currentScope,
  runInScope,
  runWith,
} from '../context.ts';
import { createWithin } from './within.ts';

const KEY = createContextKey('test');
const context = ROOT_CONTEXT.setValue(KEY, 'inside');
const hand = (requestId: string) => ({ request: { requestId }, otel: ROOT_CONTEXT, phase: requestId });

describe('work within a context', () => {
  test('sees that context, and all else of whoever runs it', () => {
    const within = createWithin(context);
    const seen = () => [activeContext().getValue(KEY), currentRequest()?.requestId, currentScope()?.phase];
    expect(within(seen)).toEqual(['inside', undefined, undefined]);
    for (const id of ['a', 'b', 'a']) expect(runInScope(hand(id), () => within(seen))).toEqual(['inside', id, id]);
    expect(within(seen)).toEqual(['inside', undefined, undefined]);
    expect(activeContext().getValue(KEY)).toBeUndefined();
  });

  test('is of that context’s span, whatever span the work around it is of', () => {
    const ids = (spanId: string) => ({ traceId: '1'.repeat(32), spanId, traceFlags: 1 });
    const within = createWithin(trace.setSpanContext(ROOT_CONTEXT, ids('a'.repeat(16))));
    const spanId = runInScope({ ...hand('a'), ids: ids('b'.repeat(16)) }, () => within(activeSpanContext)?.spanId);
    expect(spanId).toBe('a'.repeat(16));
  });

  test('has one scope as long as the one around it is one, and the same one within itself', () => {
    const within = createWithin(context);
    runInScope(hand('a'), () => {
      const scope = within(currentScope);
      expect(within(currentScope)).toBe(scope);
      expect(within(() => within(currentScope))).toBe(scope);
      expect(runWith({ phase: 'other' }, () => within(currentScope))).toMatchObject({ phase: 'other' });
      expect(within(currentScope)).toEqual(scope);
    });
  });

  test('goes into another context and comes back, and its results and errors pass', async () => {
    const within = createWithin(context);
    const other = ROOT_CONTEXT.setValue(KEY, 'other');
    const keys = within(() => [
      contextManager.with(other, () => activeContext().getValue(KEY)),
      contextManager.with(other, () => within(() => activeContext().getValue(KEY))),
      activeContext().getValue(KEY),
    ]);
    expect(keys).toEqual(['other', 'inside', 'inside']);
    const error = new Error('x');
    expect(() =>
      within(() => {
        throw error;
      }),
    ).toThrow(error);
    const later = within(async () => {
      await Promise.resolve();
      return activeContext().getValue(KEY);
    });
    expect(activeContext().getValue(KEY)).toBeUndefined();
    expect(await later).toBe('inside');
  });
});
