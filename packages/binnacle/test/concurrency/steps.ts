/** What a request of the concurrency test does: ways in which work can go on elsewhere, each in a span of the user's. */
import { EventEmitter, once } from 'node:events';
import { setImmediate as immediate, setTimeout as wait } from 'node:timers/promises';
import { type Span, trace } from '@opentelemetry/api';
import type { Observability } from '../../src/observe.ts';
import type { Breaker } from '../../src/work/breaker.ts';

/** What all requests share. */
export interface Shared {
  readonly obs: Observability;
  readonly breaker: Breaker;
  readonly cache: { get(key: string): Promise<unknown> };
  /** Emits now and then, from outside of every request. */
  readonly bus: EventEmitter;
  readonly upstream: string;
}

/** One request at work. */
export interface Work extends Shared {
  readonly marker: number;
  random(): number;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const rest = [...list];
  return list.flatMap(() => rest.splice(Math.floor(random() * rest.length), 1));
}

/** A line with the marker, and the name of the span that it is to be told in. */
export function tell({ obs, marker }: Work, within: string): void {
  obs.log.info({ marker, within }, 'a step');
}

/** A span of the user's own around `run`, with a line at its start and at its end. */
export function within<T>(work: Work, name: string, run: () => Promise<T>): Promise<T> {
  const attributes = { marker: work.marker };
  return trace.getTracer('user').startActiveSpan(name, { attributes }, async (span: Span) => {
    tell(work, name);
    try {
      return await run();
    } finally {
      tell(work, name);
      span.end();
    }
  });
}

/** Gives the others a turn, in one of the ways there are. */
export async function pause({ random }: Work): Promise<void> {
  const ways = [
    () => wait(random() * 4),
    () => immediate(),
    () => new Promise<void>((resolve) => process.nextTick(resolve)),
    () => new Promise<void>((resolve) => queueMicrotask(resolve)),
    async () => {},
  ];
  await ways[Math.floor(random() * ways.length)]?.();
}

/** Lines that tell nothing before the callback itself: what is proven is the context within it. */
async function callBacks(work: Work): Promise<void> {
  const name = 'callbacks';
  await new Promise<void>((resolve) => setTimeout(() => resolve(tell(work, name)), work.random() * 4));
  await new Promise<void>((resolve) => setImmediate(() => resolve(tell(work, name))));
  await new Promise<void>((resolve) => process.nextTick(() => resolve(tell(work, name))));
  await new Promise<void>((resolve) => queueMicrotask(() => resolve(tell(work, name))));
}

async function* numbers(work: Work, name: string): AsyncGenerator<number> {
  for (let at = 0; at < 3; at += 1) {
    await pause(work);
    tell(work, name);
    yield at;
  }
}

async function readGenerator(work: Work): Promise<void> {
  for await (const _ of numbers(work, 'generator')) await pause(work);
}

/** Listeners are called in the context of whoever emits: the request's own for its own, a stranger's where it is bound. */
async function hearEvents(work: Work): Promise<void> {
  const own = new EventEmitter();
  own.once('event', () => tell(work, 'events'));
  setTimeout(() => own.emit('event'), work.random() * 4);
  await once(own, 'event');
  await new Promise<void>((resolve) =>
    work.bus.once(
      'tick',
      work.obs.bind(() => resolve(tell(work, 'events'))),
    ),
  );
}

async function runBoth(work: Work): Promise<void> {
  const branch = (name: string) =>
    within(work, name, async () => {
      for (let turn = 0; turn < 3; turn += 1) await pause(work);
    });
  await Promise.all([branch('left'), branch('right')]);
}

async function callThroughBreaker(work: Work): Promise<void> {
  await work.breaker.run(() => within(work, 'called', () => pause(work)));
}

async function lookUp(work: Work): Promise<void> {
  await work.cache.get(String(work.marker));
}

async function streamAnswer(work: Work): Promise<void> {
  const info = { operation: 'chat', provider: 'openai', model: 'm' };
  for await (const _ of work.obs.ai.stream(info, () => numbers(work, 'chat m'))) tell(work, 'ai');
}

async function fetchTwice(work: Work): Promise<void> {
  for (const turn of [0, 1]) {
    const response = await fetch(`${work.upstream}/?marker=${work.marker}&turn=${turn}`);
    for await (const _ of response.body ?? []) await pause(work);
    tell(work, 'fetch');
  }
}

/** By the names of their spans. */
export const STEPS: Readonly<Record<string, (work: Work) => Promise<void>>> = {
  callbacks: callBacks,
  generator: readGenerator,
  events: hearEvents,
  both: runBoth,
  breaker: callThroughBreaker,
  cache: lookUp,
  ai: streamAnswer,
  fetch: fetchTwice,
};

export const SERVER = 'GET /jobs/:marker';

/** Pieces of the answer, one line each. */
export const CHUNKS = 3;
/** Lines with the marker that a request tells: two for each span of the user's, and those of the steps themselves. */
export const LINES =
  2 * ['arrived', 'before', ...Object.keys(STEPS), 'left', 'right', 'called', 'stored', 'answer'].length +
  // callbacks, generator, events, ai (half of them by the model), fetch
  (4 + 3 + 2 + 6 + 2) +
  CHUNKS;

/** Every span of a request as `parent > name`, told beforehand. */
export const EXPECTED: readonly string[] = [
  `- > ${SERVER}`,
  `${SERVER} > arrived`,
  `${SERVER} > phase outer`,
  'phase outer > before',
  'phase outer > phase inner',
  ...Object.keys(STEPS).map((name) => `phase inner > ${name}`),
  'both > left',
  'both > right',
  'breaker > breaker llm',
  'breaker llm > called',
  'cache > cache things',
  'cache things > stored',
  'ai > chat m',
  'fetch > GET',
  'fetch > GET',
  `${SERVER} > answer`,
].sort();
