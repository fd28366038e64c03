import { EventEmitter } from 'node:events';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { createSignals } from '../test/signals.ts';
import {
  bindToScope,
  contextManager,
  currentRequest,
  currentScope,
  runInScope,
  runWith,
  type Scope,
} from './context.ts';

const scopeOf = (requestId: string): Scope => ({ request: { requestId }, otel: ROOT_CONTEXT });
const id = (): string | undefined => currentRequest()?.requestId;

describe('the request in hand', () => {
  test('is there in all that its work starts, and nowhere else', async () => {
    expect(currentScope()).toBeUndefined();
    const seen: (string | undefined)[] = [];
    const look = (): void => void seen.push(id());
    await runInScope(scopeOf('a'), async () => {
      look();
      await null;
      look();
      await new Promise<void>((resolve) => setTimeout(() => resolve(look()), 1));
      await new Promise<void>((resolve) => setImmediate(() => resolve(look())));
      await new Promise<void>((resolve) => process.nextTick(() => resolve(look())));
      queueMicrotask(look);
      await sleep(1);
      look();
    });
    expect(seen).toEqual(Array(7).fill('a'));
    expect(currentRequest()).toBeUndefined();
  });

  test('is kept apart in 1,000 requests at once', async () => {
    const work = (i: number) =>
      runInScope(scopeOf(String(i)), async () => {
        const seen = new Set<string | undefined>();
        for (let step = 0; step < 5; step += 1) {
          await (i % 2 === 0 ? turn() : sleep(i % 3));
          seen.add(id());
        }
        return [...seen];
      });
    const all = await Promise.all(Array.from({ length: 1000 }, (_, i) => work(i)));
    expect(all).toEqual(all.map((_, i) => [String(i)]));
  });

  test('scopes nest: what is not changed is kept, and what was there comes back', () => {
    runInScope(scopeOf('outer'), () => {
      runWith({ phase: 'deep_research' }, () => {
        expect([id(), currentScope()?.phase]).toEqual(['outer', 'deep_research']);
        runWith({ request: { requestId: 'inner' } }, () =>
          expect([id(), currentScope()?.phase]).toEqual(['inner', 'deep_research']),
        );
        expect(id()).toBe('outer');
      });
      expect(currentScope()?.phase).toBeUndefined();
    });
    runWith({ phase: 'alone' }, () => expect(currentScope()).toEqual({ phase: 'alone', otel: ROOT_CONTEXT }));
  });

  test('what is learnt late reaches all that was started before', async () => {
    const scope = scopeOf('a');
    const later = runInScope(scope, async () => {
      await turn();
      return currentRequest()?.userId;
    });
    if (scope.request !== undefined) scope.request.userId = 'ada';
    expect(await later).toBe('ada');
  });

  test('a throw leaves no scope behind', () => {
    const fail = (): never => {
      throw new Error('x');
    };
    expect(() => runInScope(scopeOf('a'), fail)).toThrow('x');
    expect(currentScope()).toBeUndefined();
  });
});

describe('bindToScope', () => {
  test('a function keeps its scope, its this, its arguments and its result, whoever calls it', () => {
    const target = {
      name: 'target',
      tell(this: { name: string }, a: number, b: number) {
        return [this.name, a + b, id()];
      },
    };
    target.tell = runInScope(scopeOf('a'), () => bindToScope(target.tell));
    expect(target.tell(1, 2)).toEqual(['target', 3, 'a']);
    expect(runInScope(scopeOf('b'), () => target.tell(1, 2))).toEqual(['target', 3, 'a']);
  });

  test("an emitter's listeners run within its scope, whoever emits, and others are not touched", () => {
    const bound = runInScope(scopeOf('a'), () => bindToScope(new EventEmitter()));
    const other = new EventEmitter();
    const seen: unknown[] = [];
    for (const [name, emitter] of Object.entries({ bound, other })) {
      emitter.on('x', (value) => seen.push([name, value, id()]));
      emitter.once('y', function (this: unknown) {
        seen.push([name, this === emitter, id()]);
      });
    }
    runInScope(scopeOf('b'), () => {
      for (const emitter of [bound, other]) {
        expect(emitter.emit('x', 1)).toBe(true);
        expect(emitter.emit('y')).toBe(true);
        expect(emitter.emit('y')).toBe(false);
      }
    });
    expect(seen).toEqual([
      ['bound', 1, 'a'],
      ['bound', true, 'a'],
      ['other', 1, 'b'],
      ['other', true, 'b'],
    ]);
    expect(Object.hasOwn(EventEmitter.prototype.emit, 'name') && Object.hasOwn(other, 'emit')).toBe(false);
  });

  test('what cannot be bound, and what is bound outside of any scope, comes back as it is', () => {
    const fn = (): void => {};
    expect(bindToScope(fn)).toBe(fn);
    runInScope(scopeOf('a'), () => {
      expect(bindToScope(7)).toBe(7);
      expect(bindToScope(undefined)).toBeUndefined();
    });
  });
});

describe("OpenTelemetry's context manager", () => {
  const key = createContextKey('test');
  const held = (value: string) => ROOT_CONTEXT.setValue(key, value);
  const active = (): unknown => context.active().getValue(key);

  test('active is the root until a context is entered, and again after', async () => {
    expect(context.active()).toBe(ROOT_CONTEXT);
    await context.with(held('a'), async () => {
      expect(active()).toBe('a');
      await turn();
      expect(active()).toBe('a');
      context.with(held('b'), () => expect(active()).toBe('b'));
      expect(active()).toBe('a');
    });
    expect(context.active()).toBe(ROOT_CONTEXT);
  });

  test('with passes this, arguments and result, and keeps the request in hand', () => {
    const call = function (this: { n: number }, a: number, b: number): unknown[] {
      return [this.n, a, b, active(), id()];
    };
    const result = runInScope(scopeOf('a'), () => context.with(held('x'), call, { n: 1 }, 2, 3));
    expect(result).toEqual([1, 2, 3, 'x', 'a']);
    expect(() =>
      context.with(held('x'), () => {
        throw new Error('thrown');
      }),
    ).toThrow('thrown');
    expect(context.active()).toBe(ROOT_CONTEXT);
  });

  test('bind holds a function or an emitter to a context and to the request in hand', () => {
    const emitter = new EventEmitter();
    const seen: unknown[] = [];
    const bound = runInScope(scopeOf('a'), () => {
      context.bind(held('x'), emitter);
      return context.bind(held('x'), () => [active(), id()]);
    });
    emitter.on('e', () => seen.push(active(), id()));
    emitter.emit('e');
    expect([...seen, ...bound()]).toEqual(['x', 'a', 'x', 'a']);
  });

  test('enable and disable give the manager back', () => {
    expect(contextManager.enable()).toBe(contextManager);
    expect(contextManager.disable()).toBe(contextManager);
  });

  test("a user's active span is the parent of what starts within it", async () => {
    const { tracer, ended } = createSignals();
    await tracer.startActiveSpan('outer', async (outer) => {
      await turn();
      runWith({ phase: 'p' }, () => tracer.startSpan('inner').end());
      expect(trace.getActiveSpan()).toBe(outer);
      outer.end();
    });
    const [inner, outer] = ended();
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  });
});
