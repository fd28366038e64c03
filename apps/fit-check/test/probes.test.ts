/** A thousand probes a second ask the servers behind the service no more often than one does. */
import { describe, expect, it } from 'vitest';
import { createCounter, testStorms } from './probe-storm.ts';
import { hasPostgres, WITHOUT_POSTGRES } from './servers/postgres.ts';
import { skipsRedis, WITHOUT_REDIS } from './servers/redis.ts';

const STORM_MS = 5000;
const missing = [...(hasPostgres() ? [] : [WITHOUT_POSTGRES]), ...(skipsRedis() ? [WITHOUT_REDIS] : [])];

describe('the counter on the wire', () => {
  const heard = (...chunks: string[]): number => {
    const counter = createCounter('SELECT 1');
    const observe = counter.observe();
    for (const chunk of chunks) observe('to-server', Buffer.from(chunk, 'latin1'));
    return counter.count;
  };

  it('counts in any case, and each once', () => {
    expect(heard('Q\0select 1\0Q\0SELECT 1\0', 'Q\0Select 1\0')).toBe(3);
    expect(heard('Q\0select 2\0')).toBe(0);
  });

  it('counts what comes in pieces', () => {
    expect(heard('Q\0SEL', 'ECT', ' 1\0')).toBe(1);
    expect(heard(...'select 1 select 1')).toBe(2);
  });

  it('counts each connection by itself, and one way alone', () => {
    const counter = createCounter('SELECT 1');
    const [one, other] = [counter.observe(), counter.observe()];
    one('to-server', Buffer.from('SELECT'));
    other('to-server', Buffer.from(' 1'));
    one('to-client', Buffer.from('SELECT 1'));
    expect(counter.count).toBe(0);
  });
});

describe.skipIf(missing.length > 0)(['1000 probes a second', ...missing].join('; '), () => testStorms(STORM_MS));
