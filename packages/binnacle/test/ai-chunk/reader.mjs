/**
 * Reads streams of one SDK, and tells what each chunk took of the JavaScript heap: what it grew by between collections, by
 * V8's own accounts. `node reader.mjs <library> <url> <sdk> <bare | observed>`. A bare one reads within an
 * `AsyncLocalStorage`, as any service with context: before Node.js 24 each promise pays for one, and observing enters its own.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { GCProfiler, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

/** By then the hot code is compiled. */
const WARM_UP = 60;
const COUNTED = 40;
const MESSAGES = [{ role: /** @type {const} */ ('user'), content: 'How did it go?' }];

const [library = '', url = '', sdk = '', variant = ''] = process.argv.slice(2);

/** @template {object} T @param {T} client @returns {Promise<T>} */
async function watch(client) {
  if (variant !== 'observed') return client;
  const { observe } = await import(pathToFileURL(library).href);
  return observe({ service: 'reader' }).ai.client(client);
}

/** @returns {Promise<() => Promise<AsyncIterable<unknown>>>} */
async function open() {
  if (sdk === 'openai') {
    const client = await watch(new OpenAI({ apiKey: 'none', baseURL: `${url}/v1`, maxRetries: 0 }));
    return () => client.chat.completions.create({ model: 'm1', messages: MESSAGES, stream: true });
  }
  const client = await watch(new Anthropic({ apiKey: 'none', baseURL: url, maxRetries: 0 }));
  return () => client.messages.create({ model: 'm1', max_tokens: 99, messages: MESSAGES, stream: true });
}

const ask = await open();
const storage = new AsyncLocalStorage();
/** @type {<T>(work: () => T) => T} */
const within = (work) => (variant === 'observed' ? work() : storage.run({}, work));

/** @param {number} streams @returns {Promise<number>} how many chunks came */
async function read(streams) {
  let chunks = 0;
  for (let n = 0; n < streams; n += 1) for await (const _ of await ask()) chunks += 1;
  return chunks;
}

/** @param {() => Promise<number>} work @returns {Promise<number>} bytes for each of what it counts */
async function count(work) {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const profiler = new GCProfiler();
  let before = process.memoryUsage().heapUsed;
  profiler.start();
  const counted = await work();
  const after = process.memoryUsage().heapUsed;
  let bytes = 0;
  for (const { beforeGC, afterGC } of profiler.stop()?.statistics ?? []) {
    bytes += beforeGC.heapStatistics.usedHeapSize - before;
    before = afterGC.heapStatistics.usedHeapSize;
  }
  return (bytes + after - before) / counted;
}

// As in a service, whose requests come when its start is over.
await wait(100);
await within(() => read(WARM_UP));
const bytes = await within(() => count(() => read(COUNTED)));
process.stdout.write(`${bytes}\n`, () => process.exit(0));
