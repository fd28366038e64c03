import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { createOutage } from './outage.ts';
import { createClock } from './testing.test-helper.ts';

const storage = new AsyncLocalStorage<string>();

function setUp() {
  const clock = createClock();
  const told: string[] = [];
  const server = { works: true, probes: 0 };
  const outage = createOutage({
    clock,
    cooldownMs: 2000,
    async probe() {
      server.probes += 1;
      if (!server.works) throw new Error('down');
    },
    onDown: (code) => told.push(`down ${code} ${storage.getStore()}`),
    onUp: () => told.push('up'),
  });
  return { clock, told, server, outage };
}

test('is not available before something worked, and says nothing of the start', async () => {
  const { outage, told } = setUp();
  expect(outage.available).toBe(false);
  expect(await outage.probe()).toBe(true);
  expect(outage.available).toBe(true);
  expect(told).toEqual([]);
});

test('one failure ends its use; it is told once, looked after in the background, and told to be over', async () => {
  const { clock, outage, told, server } = setUp();
  outage.worked();
  server.works = false;
  storage.run('a request', () => outage.failed('timeout'));
  outage.failed('ECONNREFUSED');
  expect(outage.available).toBe(false);
  await clock.advance(1700);
  expect(server.probes).toBe(0);
  await clock.advance(10_000);
  expect(server.probes).toBeGreaterThanOrEqual(4);
  expect(server.probes).toBeLessThanOrEqual(6);
  server.works = true;
  await clock.advance(2300);
  expect(outage.available).toBe(true);
  // Not within the request that met it.
  expect(told).toEqual(['down timeout undefined', 'up']);
  expect(clock.timers).toBe(0);
});

test('anything that works ends it, without waiting for a probe', async () => {
  const { clock, outage, told } = setUp();
  outage.failed('timeout');
  outage.worked();
  expect(outage.available).toBe(true);
  expect(told).toEqual(['down timeout undefined', 'up']);
  expect(clock.timers).toBe(0);
});

test('closed, it says and does nothing more', async () => {
  const { clock, outage, told, server } = setUp();
  outage.failed('timeout');
  outage.close();
  outage.worked();
  outage.failed('again');
  await clock.advance(10_000);
  expect(server.probes).toBe(0);
  expect(outage.available).toBe(false);
  expect(told).toEqual(['down timeout undefined']);
});
