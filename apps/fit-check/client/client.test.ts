/** The client against servers that answer as the contract has it, or otherwise, over real sockets. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../test/until.ts';
import {
  createFitCheckClient,
  type FitCheckClient,
  type FitCheckClientOptions,
  FitCheckError,
  type FitCheckEvent,
} from './index.ts';

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

interface Double {
  readonly client: FitCheckClient;
  /** Method and path of each request so far. */
  readonly asked: readonly string[];
  /** Requests whose caller went away. */
  readonly left: number;
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that gives one answer after the other, and the last for all that follow. */
async function serve(
  answers: { stream?: Answer; session?: readonly Answer[] },
  options: FitCheckClientOptions = {},
): Promise<Double> {
  const asked: string[] = [];
  let left = 0;
  let sessions = 0;
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    res.once('close', () => {
      if (!res.writableFinished) left += 1;
    });
    req.resume();
    if (req.method === 'POST') return answers.stream?.(req, res);
    const answer = answers.session?.[Math.min(sessions, answers.session.length - 1)];
    sessions += 1;
    answer?.(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const client = createFitCheckClient({ baseUrl, pollMs: 5, patienceMs: 200, silenceMs: 10_000, ...options });
  return {
    client,
    asked,
    get left() {
      return left;
    },
  };
}

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const events =
  (text: string, then: 'end' | 'cut' | 'hold' = 'end'): Answer =>
  (_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'r-1' });
    res.write(text, () => {
      if (then === 'end') res.end();
      if (then === 'cut') res.destroy();
    });
  };
const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_, res) =>
    void res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const gone: Answer = (req) => void req.socket.destroy();

const CONNECTING = event('phase', { phase: 'connecting', message: 'Reading…' });
const CONNECTED = event('phase_complete', { phase: 'connecting', summary: 'Read', data: { a: 1 }, duration_ms: 1.5 });
const WRITING = event('phase', { phase: 'verdict', message: 'Writing…' });
const COMPLETE = event('complete', {
  session_id: 's',
  duration_ms: 12.5,
  usage: { input_tokens: 3, output_tokens: 4 },
  cached: false,
  provider: 'embedded',
});
const PHASES = ['connecting', 'deep_research', 'skills_matching', 'gap_analysis', 'verdict'];
const stored = (status: string, whole = true): object => ({
  session_id: 's',
  status,
  created_at: '2026-11-26T09:00:00.000Z',
  updated_at: '2026-11-26T09:00:01.000Z',
  duration_ms: status === 'complete' ? 12.5 : null,
  analysis: whole
    ? {
        query: 'Google',
        provider: 'embedded',
        model: 'm',
        phases: PHASES.map((phase) => ({ phase, summary: `${phase} done`, data: {}, thoughts: [`of ${phase}`] })),
        verdict: 'A good fit.',
        usage: { inputTokens: 3, outputTokens: 4 },
        cached: false,
      }
    : null,
});

async function read(stream: AsyncIterable<FitCheckEvent>): Promise<FitCheckEvent[]> {
  const all: FitCheckEvent[] = [];
  for await (const each of stream) all.push(each);
  return all;
}

/** What came, and what was thrown then. */
async function readUntilError(stream: AsyncIterable<FitCheckEvent>): Promise<[FitCheckEvent[], unknown]> {
  const all: FitCheckEvent[] = [];
  try {
    for await (const each of stream) all.push(each);
  } catch (error) {
    return [all, error];
  }
  throw new Error(`nothing was thrown after ${all.map(({ type }) => type).join(', ')}`);
}

const question = { query: 'Google', sessionId: 's', thoughts: true };
const verdictOf = (all: readonly FitCheckEvent[]): string =>
  all.map((each) => (each.type === 'response' ? each.chunk : '')).join('');
const phasesOf = (all: readonly FitCheckEvent[]): string[] =>
  all.flatMap((each) => (each.type === 'phase_complete' ? [each.phase] : []));

describe('a stream', () => {
  it('gives its events, typed, and ends after `complete`', async () => {
    const text = `: hello\n\n${CONNECTING}${event('thought', { content: 'Hm.' })}${CONNECTED}${event('response', { chunk: 'Ä ' })}${event('news', { of: 'tomorrow' })}${COMPLETE}`;
    const { client, asked } = await serve({ stream: events(text, 'hold') });
    expect(await read(client.analyse(question))).toEqual([
      { type: 'phase', phase: 'connecting', message: 'Reading…' },
      { type: 'thought', content: 'Hm.' },
      { type: 'phase_complete', phase: 'connecting', summary: 'Read', data: { a: 1 }, duration_ms: 1.5 },
      { type: 'response', chunk: 'Ä ' },
      {
        type: 'complete',
        session_id: 's',
        duration_ms: 12.5,
        usage: { input_tokens: 3, output_tokens: 4 },
        cached: false,
        provider: 'embedded',
      },
    ]);
    expect(asked).toEqual(['POST /api/fit-check/stream']);
  });

  it.each([
    ['error', event('error', { code: 'timeout', message: 'Too long.' }), 'timeout'],
    ['an error of a code that is not known', event('error', { code: 'novel', message: 'New.' }), 'internal'],
    ['shutdown', event('shutdown', { message: 'Bye.' }), 'shutting_down'],
    ['what is not JSON', 'event: phase\ndata: {\n\n', 'protocol'],
    ['a field of a wrong type', event('phase_complete', { phase: 'verdict', summary: 7 }), 'protocol'],
    ['a phase that is none', event('phase', { phase: '__proto__', message: '' }), 'protocol'],
  ])('throws for %s', async (_, last, code) => {
    const { client, asked } = await serve({ stream: events(CONNECTING + last, 'hold') });
    const [all, error] = await readUntilError(client.analyse(question));
    expect(all).toHaveLength(1);
    expect(error).toBeInstanceOf(FitCheckError);
    expect(error).toMatchObject({ code });
    if (code !== 'protocol') expect(error).toMatchObject({ sessionId: 's', requestId: 'r-1' });
    expect(asked).toHaveLength(1);
  });

  it.each([
    [
      'the contract’s form',
      json({ error: { code: 'too_many_sessions', message: 'Full.', request_id: 'r-2' } }, 503, { 'retry-after': '5' }),
      { code: 'too_many_sessions', message: 'Full.', status: 503, requestId: 'r-2', retryAfterMs: 5000 },
    ],
    [
      'a proxy’s page',
      ((_, res) => void res.writeHead(502).end('<html>')) as Answer,
      { code: 'upstream_unavailable', status: 502 },
    ],
    ['JSON of another form', json({ error: 'no' }, 500), { code: 'internal', status: 500 }],
    ['a success that is no stream', json({ fine: true }), { code: 'protocol' }],
    ['nothing at all', gone, { code: 'network', sessionId: 's' }],
  ])('throws what was answered in its place: %s', async (_, stream, expected) => {
    const { client } = await serve({ stream });
    const [all, error] = await readUntilError(client.analyse(question));
    expect(all).toEqual([]);
    expect(error).toMatchObject(expected);
  });

  it('is cancelled by its signal, with the signal’s reason, and the service is told', async () => {
    const double = await serve({ stream: events(CONNECTING, 'hold') });
    const controller = new AbortController();
    const reason = new Error('enough');
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { type } of double.client.analyse(question, { signal: controller.signal })) {
        seen.push(type);
        controller.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
    expect(seen).toEqual(['phase']);
    await until('the connection is closed', () => double.left === 1);
    expect(double.asked).toHaveLength(1);
  });

  it('is given up with the loop that reads it', async () => {
    const double = await serve({ stream: events(CONNECTING, 'hold') });
    for await (const { type } of double.client.analyse(question)) {
      expect(type).toBe('phase');
      break;
    }
    await until('the connection is closed', () => double.left === 1);
  });
});

describe('a stream that breaks', () => {
  const begun = `${CONNECTING}${event('thought', { content: 'of connecting' })}${CONNECTED}${WRITING}${event('response', { chunk: 'A go' })}`;

  it.each(['cut', 'end'] as const)('is read on from what is stored, without repeating anything (%s)', async (how) => {
    const { client, asked } = await serve({
      stream: events(begun, how),
      session: [json(stored('running', false)), gone, json(stored('complete'))],
    });
    const all = await read(client.analyse(question));
    expect(verdictOf(all)).toBe('A good fit.');
    expect(phasesOf(all)).toEqual(PHASES);
    expect(all.filter(({ type }) => type === 'thought')).toHaveLength(PHASES.length);
    expect(
      all
        .filter((each) => each.type === 'phase')
        .map(({ phase }) => phase)
        .sort(),
    ).toEqual([...PHASES].sort());
    expect(all.filter(({ type }) => type === 'waiting')).toEqual([
      { type: 'waiting', reason: 'running' },
      { type: 'waiting', reason: 'network' },
    ]);
    expect(all.at(-1)).toMatchObject({
      type: 'complete',
      duration_ms: 12.5,
      usage: { input_tokens: 3, output_tokens: 4 },
    });
    expect(asked.slice(1)).toEqual(Array(3).fill('GET /api/fit-check/sessions/s'));
  });

  it.each([
    ['cancelled', 'cancelled'],
    ['interrupted', 'interrupted'],
    ['timeout', 'timeout'],
    ['error', 'failed'],
  ])('throws how it ended where it has no answer: %s', async (status, code) => {
    const { client } = await serve({ stream: events(begun, 'cut'), session: [json(stored(status, false))] });
    const [all, error] = await readUntilError(client.analyse(question));
    expect(verdictOf(all)).toBe('A go');
    expect(error).toMatchObject({ code, sessionId: 's' });
  });

  it('throws when its id was run again meanwhile', async () => {
    const other = begun.replace('A go', 'Quite another');
    const { client } = await serve({ stream: events(other, 'cut'), session: [json(stored('complete'))] });
    expect((await readUntilError(client.analyse(question)))[1]).toMatchObject({ code: 'replaced' });
  });

  it('throws when the service stays away', async () => {
    const { client, asked } = await serve({ stream: events(begun, 'cut'), session: [gone] });
    expect((await readUntilError(client.analyse(question)))[1]).toMatchObject({ code: 'network' });
    expect(asked.length).toBeGreaterThan(3);
  });

  it('is waited for no longer once it is cancelled', async () => {
    const { client } = await serve(
      { stream: events(begun, 'cut'), session: [json(stored('running', false))] },
      { pollMs: 60_000 },
    );
    const controller = new AbortController();
    const reading = (async () => {
      for await (const { type } of client.analyse(question, { signal: controller.signal }))
        if (type === 'waiting') controller.abort();
    })();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('that only says nothing is looked after, and left alone while it runs', async () => {
    let finish = (): void => {};
    const stream: Answer = (req, res) => {
      events(begun, 'hold')(req, res);
      finish = () => res.end(event('response', { chunk: 'od fit.' }) + COMPLETE);
    };
    const { client, asked } = await serve({ stream, session: [json(stored('running', false))] }, { silenceMs: 20 });
    const reading = read(client.analyse(question));
    await until('it was asked for', () => asked.length > 3);
    finish();
    const all = await reading;
    expect(verdictOf(all)).toBe('A good fit.');
    expect(all.some(({ type }) => type === 'waiting')).toBe(false);
  });

  it('that is dead without a word is left for what is stored', async () => {
    const double = await serve(
      { stream: events(begun, 'hold'), session: [json(stored('complete'))] },
      { silenceMs: 20 },
    );
    expect(verdictOf(await read(double.client.analyse(question)))).toBe('A good fit.');
    await until('the connection is closed', () => double.left === 1);
  });
});

describe('a session that is read again', () => {
  it('says what it was asked, and all that it told', async () => {
    const { client } = await serve({ session: [json(stored('complete'))] });
    const all = await read(client.follow('s', { thoughts: true }));
    expect(all[0]).toEqual({
      type: 'stored',
      session_id: 's',
      query: 'Google',
      created_at: '2026-11-26T09:00:00.000Z',
    });
    expect(phasesOf(all)).toEqual(PHASES);
    expect(verdictOf(all)).toBe('A good fit.');
    expect(all.at(-1)?.type).toBe('complete');
    expect((await read(client.follow('s'))).some(({ type }) => type === 'thought')).toBe(false);
  });

  it('is waited for while it runs, and taken once its analysis is whole', async () => {
    const { client } = await serve({ session: [json(stored('running', false)), json(stored('running'))] });
    const all = await read(client.follow('s'));
    expect(all.map(({ type }) => type).slice(0, 2)).toEqual(['waiting', 'stored']);
    expect(all.at(-1)?.type).toBe('complete');
  });

  it('throws where there is none, or something else', async () => {
    const none = await serve({
      session: [json({ error: { code: 'not_found', message: 'None.', request_id: 'r' } }, 404)],
    });
    await expect(none.client.session('a/b')).rejects.toMatchObject({ code: 'not_found', status: 404 });
    expect(none.asked).toEqual(['GET /api/fit-check/sessions/a%2Fb']);
    const strange = await serve({ session: [json({ session_id: 's', status: 'new', analysis: [] })] });
    await expect(strange.client.session('s')).rejects.toMatchObject({ code: 'protocol' });
  });
});

it('ids are new each time, and fit the contract', () => {
  const client = createFitCheckClient();
  const ids = new Set(Array.from({ length: 50 }, () => client.newSessionId()));
  expect(ids.size).toBe(50);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
