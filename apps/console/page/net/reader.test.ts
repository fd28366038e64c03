/** The reader against a server on a socket. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Console } from '../model/console.ts';
import { type Feeder, type FeederOptions, startFeeder } from '../test/feeder.ts';
import { line, span } from '../test/records.ts';
import { login } from './login.ts';
import { createReader, type LineState, type Reader } from './reader.ts';

interface Reading {
  readonly feeder: Feeder;
  readonly reader: Reader;
  readonly console: Console;
  readonly states: LineState[];
}

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of open.splice(0).reverse()) await end();
});

async function start(options: FeederOptions = {}, ask?: typeof fetch): Promise<Reading> {
  const feeder = await startFeeder(options);
  const console = new Console();
  const states: LineState[] = [];
  const reader = createReader({
    url: new URL('api/events', feeder.url).href,
    apply: (name, data, size) => console.apply(name, data, size),
    tell: (state) => states.push(state),
    isHidden: () => true,
    jitter: () => 0.02,
    ...(ask === undefined ? {} : { fetch: ask }),
  });
  reader.start();
  open.push(
    () => feeder.close(),
    () => reader.stop(),
  );
  return { feeder, reader, console, states };
}

const until = (what: () => void): Promise<void> => vi.waitFor(what, { timeout: 10_000, interval: 10 });
const kinds = (states: readonly LineState[]): string[] => states.map(({ kind }) => kind);

describe('the reader', () => {
  it('reads what is held and what comes', async () => {
    const { feeder, console, states } = await start({ events: [['logs', [line({ seq: 1 })]]] });
    await until(() => expect(console.logs.count).toBe(1));
    feeder.send('spans', [span({ spanId: 'a' })]);
    await until(() => expect(console.spans.count).toBe(1));
    expect(kinds(states)).toEqual(['connecting', 'open']);
  });

  it('comes back after a break where it was, and misses and doubles nothing', async () => {
    const { feeder, console, states } = await start();
    feeder.send('logs', [line({ seq: 1 })]);
    await until(() => expect(console.logs.count).toBe(1));
    feeder.answer(500);
    feeder.cut();
    await until(() => expect(kinds(states)).toContain('waiting'));
    feeder.send('logs', [line({ seq: 2 })]);
    feeder.answer(200);
    await until(() => expect(console.logs.count).toBe(2));
    expect(feeder.asked.at(-1)).toMatch(/\/1$/);
    expect(states.findLast(({ kind }) => kind === 'waiting')).toMatchObject({
      attempt: expect.any(Number),
      because: expect.stringMatching(/500|connection|reached|terminated/),
    });
    expect(console.restarted).toBe(false);
  });

  it('meets another start, and begins afresh', async () => {
    const { feeder, console } = await start({ events: [['logs', [line({ seq: 1 })]]] });
    await until(() => expect(console.logs.count).toBe(1));
    feeder.restart();
    await until(() => expect(console.restarted).toBe(true));
    expect(console.logs.count).toBe(0);
  });

  it('waits longer each time, and at once is there again when it is told to', async () => {
    const { feeder, reader, states, console } = await start();
    await until(() => expect(console.hello).toBeDefined());
    feeder.answer(503);
    feeder.cut();
    const waits = () => states.filter((state) => state.kind === 'waiting').map(({ attempt }) => attempt);
    await until(() => expect(waits().length).toBeGreaterThanOrEqual(4));
    expect(waits().slice(0, 4)).toEqual([1, 2, 3, 4]);
    feeder.answer(200);
    reader.retry();
    await until(() => expect(states.at(-1)?.kind).toBe('open'));
  });

  it.each([
    [401, 'login'],
    [404, 'refused'],
    [403, 'refused'],
  ])('stops at %i: %s', async (status, kind) => {
    const feeder = await startFeeder();
    open.push(() => feeder.close());
    feeder.answer(status);
    const states: LineState[] = [];
    const reader = createReader({
      url: new URL('api/events', feeder.url).href,
      apply: () => undefined,
      tell: (state) => states.push(state),
      isHidden: () => true,
    });
    open.push(() => reader.stop());
    reader.start();
    await until(() => expect(states.at(-1)?.kind).toBe(kind));
    expect(feeder.asked.length).toBe(1);
  });

  it('asks for a token, and is let in with it', async () => {
    const { states, feeder } = await start({ token: 'right' });
    await until(() => expect(states.at(-1)?.kind).toBe('login'));
    const ask = ((path: string, init: RequestInit) => fetch(new URL(path, feeder.url), init)) as typeof fetch;
    expect(await login('wrong', ask)).toEqual({ kind: 'wrong' });
    expect(await login('too often', ask)).toEqual({ kind: 'later', seconds: 42 });
    expect(await login('right', ask)).toEqual({ kind: 'in' });
    expect(await login('x', () => Promise.reject(new TypeError('no')))).toMatchObject({ kind: 'failed' });
    expect(await login('x', () => Promise.resolve(new Response('', { status: 502 })))).toMatchObject({
      because: expect.stringContaining('502'),
    });
  });

  it('takes something else for what it is', async () => {
    const html = (): Promise<Response> =>
      Promise.resolve(new Response('<html>', { headers: { 'content-type': 'text/html' } }));
    const { states } = await start({}, html as typeof fetch);
    await until(() =>
      expect(states.at(-1)).toMatchObject({ kind: 'waiting', because: expect.stringContaining('Something else') }),
    );
  });

  it('leaves out an event that cannot be read, and reads on', async () => {
    const text = 'event: logs\ndata: {torn\n\nevent: spans\ndata: null\n\nevent: logs\ndata: [{"seq":1}]\n\n';
    const torn = (): Promise<Response> =>
      Promise.resolve(new Response(text, { headers: { 'content-type': 'text/event-stream' } }));
    const { console } = await start({}, torn as typeof fetch);
    await until(() => expect(console.logs.count).toBeGreaterThan(0));
  });

  it('lets go of its connection when it is stopped', async () => {
    const { feeder, reader, console, states } = await start();
    await until(() => expect(console.hello).toBeDefined());
    reader.stop();
    await until(() => expect(feeder.streams).toBe(0));
    const before = states.length;
    feeder.send('logs', [line({ seq: 1 })]);
    expect([states.length, console.logs.count]).toEqual([before, 0]);
  });
});
