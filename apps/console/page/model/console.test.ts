import { describe, expect, it } from 'vitest';
import { line, span } from '../test/records.ts';
import { Console } from './console.ts';
import { CHECK_LIMIT, transitionsOf } from './history.ts';
import type { HealthMoment, Hello } from './wire.ts';

const hello = (words: Partial<Hello> = {}): Hello => ({
  instance: 'one',
  service: 's',
  version: '1',
  environment: 'test',
  mode: 'embedded',
  now: 5000,
  resumed: false,
  ...words,
});

describe('the console', () => {
  it('keeps what it has where it is resumed, and begins afresh where it is not or meets another start', () => {
    const console = new Console(() => 1000);
    console.apply('hello', hello(), 1);
    console.apply('spans', [span({ spanId: 'a' })], 100);
    console.apply('logs', [line({ seq: 1 })], 100);
    expect(console.now()).toBe(5000);
    console.apply('hello', hello({ resumed: true }), 1);
    expect([console.spans.count, console.logs.count, console.restarted]).toEqual([1, 1, false]);
    console.apply('hello', hello(), 1);
    expect([console.spans.count, console.logs.count, console.restarted]).toEqual([0, 0, false]);
    console.apply('logs', [line({ seq: 1 })], 100);
    console.apply('hello', hello({ instance: 'two', resumed: true }), 1);
    expect([console.logs.count, console.restarted]).toEqual([0, true]);
    console.forgetRestart();
    expect(console.restarted).toBe(false);
  });

  it('tells who listens of each event, and nobody who has stopped', () => {
    const console = new Console();
    let told = 0;
    const stop = console.listen(() => {
      told += 1;
    });
    console.apply('skipped', { signal: 'logs', count: 3 }, 1);
    console.apply('skipped', { signal: 'logs', count: 4 }, 1);
    expect([told, console.skipped.logs]).toEqual([2, 7]);
    stop();
    console.apply('skipped', { signal: 'logs', count: 1 }, 1);
    expect([told, console.listeners]).toEqual([2, 0]);
  });
});

describe('health', () => {
  const health = (time: number, state: 'closed' | 'open' | 'half_open', status = 'healthy'): HealthMoment => ({
    time,
    status: 'healthy',
    checks: { database: { status, critical: true, duration_ms: 1 } },
    breakers: [{ service: 'llm', state }],
    uptime: time,
  });

  it('has a history of its checks and the transitions of its breakers, each once', () => {
    const { moments } = new Console();
    moments.setHealth(health(1, 'closed'));
    moments.setHealth(health(2, 'open', 'unhealthy'));
    moments.setHealth(health(2, 'open', 'unhealthy'));
    moments.setHealth(health(3, 'half_open'));
    expect(moments.historyOf('database').map(({ status }) => status)).toEqual(['healthy', 'unhealthy', 'healthy']);
    expect(moments.transitions).toEqual([
      { time: 3, service: 'llm', from: 'open', to: 'half_open' },
      { time: 2, service: 'llm', from: 'closed', to: 'open' },
    ]);
    // What was before the page came, the metric's history knows.
    const state = { labels: { service: 'llm' }, times: [-9, -6, -5, 2], samples: [[0], [1], [1], [0]] } as never;
    expect(transitionsOf([state], moments.since ?? 0)).toEqual([
      { time: -6, service: 'llm', from: 'closed', to: 'open' },
    ]);
    for (let time = 4; time < 1000; time += 1) moments.setHealth(health(time, time % 2 === 0 ? 'open' : 'closed'));
    expect(moments.historyOf('database').length).toBe(CHECK_LIMIT);
    expect(moments.transitions.length).toBe(100);
  });
});
