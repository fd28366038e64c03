import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { startCounting } from './allocated.mjs';

/**
 * The process under test: reads streams of one SDK, bare or observed, several at a time as a service does. Asked for a
 * number of streams it reads them, and tells what they took.
 */

const TOGETHER = 32;
const SETTLED_MS = 100;

const { BENCH_LIBRARY = '', BENCH_URL = '', BENCH_SDK = '', BENCH_VARIANT = '' } = process.env;
const library = new URL('packages/binnacle/', pathToFileURL(`${BENCH_LIBRARY}/`));
const load = createRequire(new URL('package.json', library));

/** Nothing of it is loaded in a bare process. */
const obs = BENCH_VARIANT.startsWith('bare')
  ? undefined
  : (await import(new URL('dist/index.js', library).href)).observe({ service: 'bench', version: '1.0.0' });

/** @type {Record<string, () => () => Promise<AsyncIterable<unknown>>>} */
const SDKS = {
  openai() {
    const { OpenAI } = load('openai');
    const client = watch(new OpenAI({ apiKey: 'none', baseURL: `${BENCH_URL}/v1`, maxRetries: 0 }));
    const messages = [{ role: 'user', content: 'How did it go?' }];
    const body = { model: 'gpt-4o', messages, stream: true, stream_options: { include_usage: true } };
    return () => client.chat.completions.create(body);
  },
  anthropic() {
    const { Anthropic } = load('@anthropic-ai/sdk');
    const client = watch(new Anthropic({ apiKey: 'none', baseURL: BENCH_URL, maxRetries: 0 }));
    const messages = [{ role: 'user', content: 'How did it go?' }];
    const body = { model: 'claude-opus-4-8', max_tokens: 2000, messages, stream: true };
    return () => client.messages.create(body);
  },
};

/** @template {object} T @param {T} client */
function watch(client) {
  return BENCH_VARIANT.startsWith('observed') ? obs.ai.client(client) : client;
}

const ask = SDKS[BENCH_SDK]?.();
if (ask === undefined) throw new Error(`BENCH_SDK is ${Object.keys(SDKS).join(' or ')}, not ${BENCH_SDK}`);

async function readStream() {
  let chunks = 0;
  for await (const _chunk of await ask()) chunks += 1;
  return chunks;
}

/** @type {Record<string, () => Promise<number>>} */
const WITHIN = {
  'observed-session': () => obs.session({ id: randomUUID() }, () => readStream()),
  'bare-context': () => storage.run({}, readStream),
};
const storage = new AsyncLocalStorage();
const read = WITHIN[BENCH_VARIANT] ?? readStream;

/**
 * @param {number} streams
 * @returns {Promise<number>} how many chunks came
 */
async function readStreams(streams) {
  let left = streams;
  let chunks = 0;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      const came = await read();
      chunks += came;
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
  return chunks;
}

/** What the library says of the streams, so that none is measured that was not observed. */
async function told() {
  if (obs === undefined) return { calls: 0, gaps: 0 };
  let text = '';
  for await (const part of obs.scrape().body) text += part;
  const sum = (/** @type {RegExp} */ name) =>
    text.split('\n').reduce((all, line) => all + (name.test(line) ? Number(line.split(' ').at(-1)) : 0), 0);
  return {
    calls: sum(/^llm_calls_total\{.*status="success"/),
    gaps: sum(/^gen_ai_client_operation_time_per_output_chunk_seconds_count/),
  };
}

process.on('message', async (/** @type {number} */ streams) => {
  const count = startCounting();
  const start = process.cpuUsage();
  const chunks = await readStreams(streams);
  const { user, system } = process.cpuUsage(start);
  const bytes = count();
  process.send?.({ chunks, cpuUs: user + system, bytes, ...(await told()) });
});
process.on('disconnect', () => process.exit(1));
// As in a service, whose requests come when its start is over: to promises that are older than the first context, Node.js 20's
// hooks stay dearer for good.
setTimeout(() => process.send?.({ port: 0 }), SETTLED_MS);
