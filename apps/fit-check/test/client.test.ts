/** The client against the service itself. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFitCheckClient, type FitCheckClient, type FitCheckEvent, PHASES } from '../client/index.ts';
import { type LlmDouble, startLlm } from './llm-double.ts';
import { type Proxy as NetworkProxy, startProxy } from './servers/proxy.ts';
import { type Service, startService } from './service.ts';
import { until } from './until.ts';

async function read(stream: AsyncIterable<FitCheckEvent>): Promise<FitCheckEvent[]> {
  const all: FitCheckEvent[] = [];
  for await (const event of stream) all.push(event);
  return all;
}

const verdictOf = (all: readonly FitCheckEvent[]): string =>
  all.map((event) => (event.type === 'response' ? event.chunk : '')).join('');
const endedPhases = (all: readonly FitCheckEvent[]): string[] =>
  all.flatMap((event) => (event.type === 'phase_complete' ? [event.phase] : []));

let llm: LlmDouble;
let service: Service;
let proxy: NetworkProxy;
let client: FitCheckClient;
/** The same, by a network that breaks. */
let far: FitCheckClient;
beforeAll(async () => {
  llm = await startLlm();
  service = await startService({ OPENAI_BASE_URL: llm.url, LLM_MODEL: 'double-1', MAX_SESSIONS: '2' });
  proxy = await startProxy(Number(new URL(service.url).port));
  client = createFitCheckClient({ baseUrl: service.url, pollMs: 20 });
  far = createFitCheckClient({ baseUrl: `http://127.0.0.1:${proxy.port}`, pollMs: 20, patienceMs: 20_000 });
});
beforeEach(() => {
  llm.behaviour = { kind: 'answer', chunks: ['A good fit, ', 'as [work:1] ', 'shows. 😀'] };
});
afterAll(async () => {
  await proxy.close();
  await service.stop();
  await llm.close();
});

const stored = async (id: string): Promise<string> => (await client.session(id)).status;

describe('the client, with the service', () => {
  it('reads a session as it runs, and the same once more by its id', async () => {
    const sessionId = client.newSessionId();
    const live = await read(client.analyse({ query: 'Google', sessionId, thoughts: true }));
    expect(endedPhases(live)).toEqual(PHASES);
    expect(verdictOf(live)).toBe('A good fit, as [work:1] shows. 😀');
    const again = await read(client.follow(sessionId, { thoughts: true }));
    expect(again[0]).toMatchObject({ type: 'stored', query: 'Google' });
    expect(verdictOf(again)).toBe(verdictOf(live));
    const told = (all: readonly FitCheckEvent[]): unknown[] =>
      all.map((event) =>
        event.type === 'thought' ? event.content : event.type === 'phase_complete' ? event.data : null,
      );
    expect(told(again).filter((item) => item !== null)).toEqual(told(live).filter((item) => item !== null));
    expect(again.at(-1)).toMatchObject({ type: 'complete', session_id: sessionId, usage: { output_tokens: 8 } });
  });

  it('throws the contract’s errors', async () => {
    const failing = async (query: string, sessionId = client.newSessionId()): Promise<unknown> =>
      read(client.analyse({ query, sessionId })).catch((error: unknown) => error);
    expect(await failing('x')).toMatchObject({
      code: 'bad_request',
      status: 400,
      message: expect.stringMatching(/2 to 20000/),
    });
    expect(await failing('x'.repeat(2_000_000))).toMatchObject({ code: 'too_large', status: 413 });
    expect(await failing('Google', 'no such\nid')).toMatchObject({ code: 'bad_request' });
    await expect(client.session('none')).rejects.toMatchObject({ code: 'not_found', requestId: expect.any(String) });
  });

  it('cancels, and the service says so; busy ids and a full service are told', async () => {
    llm.behaviour = { kind: 'hold' };
    const controllers = [new AbortController(), new AbortController()];
    const ids = ['held-1', 'held-2'];
    const held = ids.map((sessionId, at) =>
      read(client.analyse({ query: `Held ${at}`, sessionId }, { signal: controllers[at]?.signal })),
    );
    await until(
      'both write their verdicts',
      () => llm.requests.filter(({ body }) => JSON.stringify(body).includes('Held ')).length === 2,
    );
    await expect(read(client.analyse({ query: 'Third', sessionId: 'third' }))).rejects.toMatchObject({
      code: 'too_many_sessions',
      status: 503,
      retryAfterMs: 5000,
    });
    await expect(read(client.analyse({ query: 'Busy', sessionId: 'held-1' }))).rejects.toMatchObject({
      code: 'session_busy',
    });
    for (const controller of controllers) controller.abort();
    for (const reading of held) await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    for (const id of ids) await until(`${id} is cancelled`, async () => (await stored(id)) === 'cancelled');
    await expect(read(client.follow('held-1'))).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('follows a session that runs elsewhere to its end', async () => {
    llm.behaviour = { kind: 'hold' };
    const asking = read(client.analyse({ query: 'Elsewhere', sessionId: 'elsewhere' }));
    await until('it runs', async () => (await stored('elsewhere').catch(() => '')) === 'running');
    const followed: FitCheckEvent[] = [];
    const following = (async () => {
      for await (const event of client.follow('elsewhere')) followed.push(event);
    })();
    await until('it is written', () => llm.requests.some(({ body }) => JSON.stringify(body).includes('Elsewhere')));
    await until('who follows has seen it run', () => followed.length > 0);
    llm.release();
    const [asked] = await Promise.all([asking, following]);
    expect(verdictOf(followed)).toBe(verdictOf(asked));
    expect(followed[0]?.type).toBe('waiting');
  });
});

describe('over a network that breaks', () => {
  it('reads byte by byte what the service sent', async () => {
    await proxy.set({ kind: 'slow', bytesPerSecond: 40_000 });
    const all = await read(far.analyse({ query: 'Slowly', sessionId: 'slowly' }));
    await proxy.set({ kind: 'pass' });
    expect(verdictOf(all)).toBe('A good fit, as [work:1] shows. 😀');
  });

  it('a stream that is cut is read on until it is known how it ended', async () => {
    llm.behaviour = { kind: 'hold' };
    const all: FitCheckEvent[] = [];
    const reading = (async () => {
      for await (const event of far.analyse({ query: 'Cut off', sessionId: 'cut-off' })) {
        all.push(event);
        if (event.type === 'response') await proxy.set({ kind: 'refused' });
        if (event.type === 'waiting') await proxy.set({ kind: 'pass' });
      }
    })();
    // The service stops what nobody reads: that, and no other thing, is what the client finds.
    await expect(reading).rejects.toMatchObject({ code: 'cancelled', sessionId: 'cut-off' });
    expect(all.filter(({ type }) => type === 'waiting')[0]).toEqual({ type: 'waiting', reason: 'network' });
  });

  it('a stream that is cut after its last word is whole', async () => {
    // Its caller hears nothing from the first byte on, and the service does not know that.
    const silent = createFitCheckClient({ baseUrl: `http://127.0.0.1:${proxy.port}`, pollMs: 20, silenceMs: 100 });
    let ended = false;
    const all: FitCheckEvent[] = [];
    const reading = (async () => {
      for await (const event of silent.analyse({ query: 'Half open', sessionId: 'half-open', thoughts: true })) {
        all.push(event);
        if (event.type === 'phase' && event.phase === 'connecting') {
          await proxy.set({ kind: 'half-open', silent: 'to-client' });
          await until('it is done', async () => (await stored('half-open')) === 'complete');
          ended = true;
          // What was on its way is lost.
          await proxy.set({ kind: 'reset' });
          await proxy.set({ kind: 'pass' });
        }
      }
    })();
    await reading;
    expect(ended).toBe(true);
    expect(endedPhases(all)).toEqual(PHASES);
    expect(verdictOf(all)).toBe('A good fit, as [work:1] shows. 😀');
  });
});
