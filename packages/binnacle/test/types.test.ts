/**
 * The public API's types, as its users write them. `npm run check` compiles this: a line under `@ts-expect-error` that
 * compiles is an error there.
 */
import type { FastifyPluginAsync } from 'fastify';
import type { Logger } from 'pino';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type Breaker,
  type Counter,
  type Ending,
  type Gauge,
  type Histogram,
  type Observability,
  type Outcome,
  observe,
  type Session,
  timed,
} from '../src/index.ts';

/** Compiled, never run. */
const compile = (..._lines: readonly ((obs: Observability) => unknown)[]): void => {};

describe('metrics of a user', () => {
  test('know their labels', () => {
    compile((obs) => {
      const jobs = obs.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['queue', 'state'] });
      expectTypeOf(jobs).toEqualTypeOf<Counter<'queue' | 'state'>>();
      expectTypeOf(obs.gauge({ name: 'depth', help: 'Depth.' })).toEqualTypeOf<Gauge>();
      jobs.inc({ queue: 'a', state: 'done' });
      jobs.inc({ state: true, queue: 1 }, 2);
      // @ts-expect-error a label that is misspelt
      jobs.inc({ queue: 'a', staet: 'done' });
      // @ts-expect-error a label is missing
      jobs.inc({ queue: 'a' });
      // @ts-expect-error all labels are missing
      jobs.inc();
      // @ts-expect-error one label too many
      jobs.inc({ queue: 'a', state: 'done', more: 'x' });
      // @ts-expect-error an undefined value is a label that is missing
      jobs.inc({ queue: 'a', state: undefined });
      // @ts-expect-error the value comes after the labels
      jobs.inc(1, { queue: 'a', state: 'done' });
      // @ts-expect-error a bound metric has its labels
      jobs.bind({ queue: 'a', state: 'done' }).inc({ queue: 'a', state: 'done' });
    });
  });

  test('are not taken for metrics of fewer or of other labels', () => {
    compile((obs) => {
      const jobs = obs.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['queue', 'state'] });
      const byQueue = (counter: Counter<'queue'>): void => counter.inc({ queue: 'a' });
      // @ts-expect-error it would record without its state
      byQueue(jobs);
      const byBoth = (counter: Counter<'queue' | 'state'>): void => counter.inc({ queue: 'a', state: 'done' });
      byBoth(jobs);
      // @ts-expect-error it would lose the state
      byBoth(obs.counter({ name: 'queued_total', help: 'Queued.', labels: ['queue'] }));
      const bare = (counter: Counter): void => counter.inc();
      // @ts-expect-error it would record without any label
      bare(jobs);
      // @ts-expect-error labels that are left out are none, whatever is wanted of them
      byQueue(obs.counter({ name: 'less_total', help: 'Less.' }));
      // @ts-expect-error labels are those of the definition
      byQueue(obs.counter({ name: 'other_total', help: 'Other.', labels: ['state'] }));
      byQueue(obs.counter({ name: 'more_total', help: 'More.', labels: ['queue'] }));
    });
  });

  test('time functions without changing their types', () => {
    compile((obs) => {
      const time = obs.histogram({ name: 'time_seconds', help: 'Time.', labels: ['source'] });
      expectTypeOf(time).toEqualTypeOf<Histogram<'source'>>();
      const search = timed(time, { source: 'web' }, async (query: string) => query.length);
      expectTypeOf(search).toEqualTypeOf<(query: string) => Promise<number>>();
      // @ts-expect-error a label that is misspelt
      timed(time, { sorce: 'web' }, () => 1);
      // @ts-expect-error its label is missing
      timed(time, () => 1);
      // @ts-expect-error time is observed by histograms
      timed(obs.counter({ name: 'jobs_total', help: 'Jobs.' }), () => 1);
    });
  });
});

describe('work', () => {
  test('gives what it is made of', () => {
    compile((obs) => {
      expectTypeOf(obs.session({ id: 's' }, () => 1)).toEqualTypeOf<Promise<number>>();
      expectTypeOf(obs.session({ id: 's' }, async (session) => session.phase('a', () => 'x'))).toEqualTypeOf<
        Promise<string>
      >();
      obs.session({ id: 's' }, (session) => {
        expectTypeOf(session).toEqualTypeOf<Session>();
        expectTypeOf(session.settled).toEqualTypeOf<Promise<Ending>>();
        expectTypeOf<Ending['outcome']>().toEqualTypeOf<'success' | 'error' | 'timeout' | 'cancelled'>();
        expectTypeOf<Outcome>().toEqualTypeOf<Ending['outcome']>();
      });
      const breaker = obs.breaker('llm', { failures: 3, openMs: 1000 });
      expectTypeOf(breaker).toEqualTypeOf<Breaker>();
      expectTypeOf(breaker.run(async () => 1)).toEqualTypeOf<Promise<number>>();
      // @ts-expect-error a session has an id
      obs.session({}, () => 1);
      // @ts-expect-error there is no such state
      obs.breakerState('llm', 'ajar');
      // @ts-expect-error a call is asynchronous
      breaker.run(() => 1);
    });
  });

  test('a client stays what it is', () => {
    compile((obs) => {
      class Pool {
        readonly own = 1;
        query(_sql: string): Promise<{ rows: number[] }> {
          return Promise.resolve({ rows: [] });
        }
      }
      expectTypeOf(obs.client(new Pool())).toEqualTypeOf<Pool>();
    });
  });
});

describe('observe', () => {
  test('takes options by name, and gives a pino logger', () => {
    compile(
      (obs) => expectTypeOf(obs.log).toEqualTypeOf<Logger>(),
      () => observe({ service: 'a', phases: ['b'], clients: ['fetch', 'ioredis'] }),
      // @ts-expect-error a service has a name
      () => observe({ version: '1' }),
      // @ts-expect-error an option that is misspelt
      () => observe({ service: 'a', namspace: 'a' }),
      // @ts-expect-error a client that publishes nothing
      () => observe({ service: 'a', clients: ['pg'] }),
    );
  });

  test('what it returns is for reading', () => {
    compile((obs) => {
      // @ts-expect-error settings are read once
      obs.settings.service = 'b';
      // @ts-expect-error signals are not exchanged
      obs.log = console;
    });
  });
});

test('an adapter is what its framework takes', async () => {
  const { observeFastify } = await import('../src/adapters/fastify.ts');
  expectTypeOf(observeFastify).returns.toEqualTypeOf<FastifyPluginAsync>();
  expect(observeFastify).toHaveLength(1);
});

test('what a test is given is what observe gives, and more', async () => {
  const { observeForTest } = await import('../src/testing/index.ts');
  expectTypeOf(observeForTest).returns.toExtend<Observability>();
  compile(
    // @ts-expect-error lines stay in memory
    () => observeForTest({ service: 'a', destination: { write: () => {} } }),
    () => expectTypeOf(observeForTest({ service: 'a' }).value('x')).toEqualTypeOf<Promise<number | undefined>>(),
  );
  expect(observeForTest).toHaveLength(1);
});
