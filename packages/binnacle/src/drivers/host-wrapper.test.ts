import { expect, test } from 'vitest';
import { createSignals } from '../../test/signals.ts';
import { createHostWatch, isInstrumented } from './host-wrapper.ts';

const CHANNEL = ['/app/dist/redis-commands.js', 'node:diagnostics_channel', 'node:diagnostics_channel'];
const IOREDIS = '/app/node_modules/ioredis/built/';
const CALL = [`${IOREDIS}tracing.js`, `${IOREDIS}Redis.js`];
const WRAPPER = '/app/node_modules/@opentelemetry/instrumentation-ioredis/build/src/instrumentation.js';
const SERVER = '/app/node_modules/@opentelemetry/instrumentation-http/build/src/http.js';
const PNPM = '/app/node_modules/.pnpm/@redis+client@6.3.1/node_modules/@redis/client/dist/lib/client/index.js';

const sites = (files: readonly (string | undefined)[]) => files.map((file) => ({ getFileName: () => file ?? null }));

test.each([
  ['wrapped', [...CALL, WRAPPER, `${IOREDIS}utils/Commander.js`, '/app/service.js']],
  ['wrapped, and called by hand', [...CALL, WRAPPER, '/app/service.js']],
  ['by Sentry', [...CALL, '/app/node_modules/@sentry/node/build/cjs/redis.js', `${IOREDIS}utils/Commander.js`]],
  [
    'by Datadog',
    [...CALL, 'node:async_hooks', '/app/node_modules/dd-trace/packages/datadog-instrumentations/src/ioredis.js'],
  ],
  ['of pnpm', [PNPM, PNPM, WRAPPER.replace('ioredis', 'redis'), 'node:async_hooks', PNPM]],
  [
    'on Windows',
    ['C:\\a\\node_modules\\mysql2\\lib\\c.js', 'C:\\a\\node_modules\\@opentelemetry\\instrumentation-mysql2\\b.js'],
  ],
  ['of an ES module', ['file:///app/node_modules/ioredis/built/Redis.js', `file://${WRAPPER}`]],
])('a client is instrumented: %s', (_, files) => {
  expect(isInstrumented(sites([...CHANNEL, ...files]))).toBe(true);
});

test.each([
  ['called by the service', [...CALL, `${IOREDIS}utils/Commander.js`, '/app/service.js', SERVER]],
  ["called by the service's own instrumentation", [...CALL, '/app/src/instrumentation/redis.js']],
  ['called from within another instrumentation', [...CALL, '/app/service.js', 'node:events', SERVER]],
  ['in a bundle', ['/app/bundle.js', '/app/bundle.js']],
  ['with nobody above', CALL],
  ['with nothing above', []],
  ['of code without a file', [undefined, undefined]],
])('a client is not: %s', (_, files) => {
  expect(isInstrumented(sites([...CHANNEL, ...files]))).toBe(false);
});

test('without an SDK of the host, nothing is looked at', () => {
  const { stackTraceLimit } = Error;
  let reads = 0;
  Object.defineProperty(Error, 'stackTraceLimit', {
    configurable: true,
    get: () => {
      reads += 1;
      return stackTraceLimit;
    },
  });
  try {
    const signals = createSignals();
    const spans = { ...signals.spans, hosted: true };
    expect(createHostWatch(signals)()).toBe(false);
    expect(reads).toBe(0);
    const isHosts = createHostWatch({ ...signals, spans });
    for (let call = 0; call < 100; call += 1) expect(isHosts()).toBe(false);
    expect(reads).toBeLessThan(100);
    expect(reads).toBeGreaterThan(0);
  } finally {
    Object.defineProperty(Error, 'stackTraceLimit', { configurable: true, writable: true, value: stackTraceLimit });
  }
});
