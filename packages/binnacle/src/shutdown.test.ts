import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Compiled, compileModules } from '../test/compiled.ts';
import type { ShutdownSettings } from './settings.ts';
import { createShutdown, type ShutdownSteps } from './shutdown.ts';

const SETTINGS: ShutdownSettings = { delayMs: 100, timeoutMs: 1000, flushMs: 300 };
const never = (): Promise<never> => new Promise(() => {});

describe('the order', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  /** Steps that write down when they ran, in milliseconds from the start. */
  function setUp(work: Partial<ShutdownSteps> = {}, shutdown: Partial<ShutdownSettings> = {}) {
    const startedAt = performance.now();
    const told: string[] = [];
    const tell = (step: string): void => void told.push(`${Math.round(performance.now() - startedAt)} ${step}`.trim());
    const lines: string[] = [];
    const step =
      <A extends unknown[], R>(name: string, run: (...args: A) => R) =>
      (...args: A): R => {
        tell([name, ...args].join(' '));
        return run(...args);
      };
    const steps: ShutdownSteps = {
      unready: step('unready', work.unready ?? (() => {})),
      refuse: step('refuse', work.refuse ?? (() => {})),
      whenIdle: step('whenIdle', work.whenIdle ?? (async () => {})),
      abortAll: step('abortAll', work.abortAll ?? (() => {})),
      destroyAll: step('destroyAll', work.destroyAll ?? (() => {})),
      flush: step('flush', work.flush ?? (async () => {})),
      close: step('close', work.close ?? (async () => {})),
    };
    const settings = { service: 'svc', shutdown: { ...SETTINGS, ...shutdown } };
    const { run } = createShutdown(settings, steps, (_level, _logger, message) => void lines.push(message));
    const listener = step('listener', (): unknown => undefined);
    return { told, lines, run: () => run(listener), runWith: run, tell };
  }

  const finish = async (running: Promise<void>): Promise<void> => {
    await vi.advanceTimersByTimeAsync(10_000);
    await running;
  };

  test('idle: unready, delay, refuse, flush, listener, close', async () => {
    const { told, lines, run } = setUp();
    await finish(run());
    expect(told).toEqual(['0 unready', '100 refuse', '100 whenIdle', '100 flush 300', '100 listener', '100 close']);
    expect(lines).toEqual(['Shut down']);
  });

  test('work that ends in time is waited for, and not aborted', async () => {
    const { told, run } = setUp({ whenIdle: () => new Promise((resolve) => setTimeout(resolve, 500)) });
    await finish(run());
    expect(told).toEqual(['0 unready', '100 refuse', '100 whenIdle', '600 flush 300', '600 listener', '600 close']);
  });

  test('work that never ends is aborted when the time from the signal is up, then torn down', async () => {
    const { told, lines, run } = setUp({ whenIdle: never });
    await finish(run());
    expect(told).toEqual([
      '0 unready',
      '100 refuse',
      '100 whenIdle',
      '1000 abortAll',
      '1000 whenIdle',
      '2000 destroyAll',
      '2000 flush 300',
      '2000 listener',
      '2000 close',
    ]);
    expect(lines).toEqual(['Running work is aborted: the shutdown ran out of time', 'Shut down']);
  });

  test('work that heeds the abort is not torn down', async () => {
    let end = (): void => {};
    const idle = new Promise<void>((resolve) => {
      end = resolve;
    });
    const { told, run } = setUp({ whenIdle: () => idle, abortAll: () => void setTimeout(end, 30) });
    await finish(run());
    expect(told.some((step) => step.includes('destroyAll'))).toBe(false);
    expect(told.slice(-3)).toEqual(['1030 flush 300', '1030 listener', '1030 close']);
  });

  test('nothing that hangs or fails holds the exit up', async () => {
    const hangs = setUp({ whenIdle: never, flush: never, close: never }, { delayMs: 0, timeoutMs: 0 });
    const running = hangs.runWith(() => {
      hangs.tell('listener');
      return never();
    });
    await finish(running);
    expect(hangs.told).toEqual([
      '0 unready',
      '0 refuse',
      '0 whenIdle',
      '0 abortAll',
      '0 whenIdle',
      '1000 destroyAll',
      '1000 flush 300',
      '1300 listener',
      '2300 close',
    ]);
    const broken = new Error('broken');
    const fails = setUp({
      whenIdle: () => Promise.reject(broken),
      flush: () => Promise.reject(broken),
      close: () => Promise.reject(broken),
    });
    await finish(
      fails.runWith(() => {
        throw broken;
      }),
    );
    expect(fails.told.at(-1)).toMatch(/close$/);
  });

  test('with nothing running there is nothing to abort, even with no time at all', async () => {
    const { told, run } = setUp({}, { delayMs: 0, timeoutMs: 0 });
    await finish(run());
    expect(told.some((step) => step.includes('abortAll'))).toBe(false);
  });

  test('a delay longer than the timeout ends with it', async () => {
    const { told, run } = setUp({}, { delayMs: 5000, timeoutMs: 1000 });
    await finish(run());
    expect(told[1]).toBe('1000 refuse');
  });

  test('it runs once: a second call waits for the first', async () => {
    const { told, run } = setUp();
    const first = run();
    const second = run();
    expect(second).toBe(first);
    await finish(first);
    expect(told).toHaveLength(6);
  });
});

describe.skipIf(process.platform === 'win32')('signals', () => {
  let compiled: Compiled;
  beforeAll(async () => {
    compiled = await compileModules('shutdown.ts');
  });
  afterAll(() => compiled.remove());

  const PROGRAM = `
    import { createShutdown } from './shutdown.js';
    const say = (text) => process.stdout.write(text + '\\n');
    const steps = {
      unready: () => say('unready'), refuse: () => say('refuse'), abortAll: () => say('abortAll'),
      destroyAll: () => say('destroyAll'), flush: async () => say('flush'), close: async () => say('close'),
      whenIdle: () => new Promise((resolve) => process.once('SIGUSR2', resolve)),
    };
    const settings = { service: 'svc', shutdown: { delayMs: 0, timeoutMs: 60_000, flushMs: 100 } };
    createShutdown(settings, steps, (_level, _logger, message, fields) => say(message + ' ' + (fields.signal ?? '')))
      .onSignals(() => say('listener'));
    const alive = setInterval(() => {}, 1000);
    say('started');
  `;

  /** Runs it; `until` waits for a line of its output. */
  function start() {
    const path = join(compiled.folder, 'program.mjs');
    writeFileSync(path, PROGRAM);
    const child = spawn(process.execPath, [path], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH },
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const until = (line: string) => vi.waitFor(() => expect(output.split('\n')).toContain(line), { timeout: 10_000 });
    const closed = once(child, 'close') as Promise<[number | null, string | null]>;
    return { child, until, closed, lines: () => output.trim().split('\n') };
  }

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s runs the order and ends with status 0; repeated at once it changes nothing',
    async (signal) => {
      const { child, until, closed, lines } = start();
      await until('started');
      child.kill(signal);
      await until('refuse');
      child.kill(signal);
      child.kill(signal === 'SIGTERM' ? 'SIGINT' : 'SIGTERM');
      child.kill('SIGUSR2');
      expect(await closed).toEqual([0, null]);
      expect(lines().map((line) => line.trim())).toEqual([
        'started',
        `Shutting down ${signal}`,
        'unready',
        'refuse',
        'flush',
        'Shut down',
        'listener',
        'close',
      ]);
    },
  );

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s once more after a second ends it at once, with %i', async (signal, status) => {
    const { child, until, closed, lines } = start();
    await until('started');
    child.kill('SIGTERM');
    await until('refuse');
    const again = setInterval(() => child.kill(signal), 50);
    expect(await closed).toEqual([status, null]);
    clearInterval(again);
    expect(lines()).not.toContain('close');
  });
});
