import process from 'node:process';
import { cpuMs, rssMiB } from './cpu.mjs';
import { countedBy, settle, wrongLines, wrongSpans } from './delivered.mjs';
import { openLoad } from './load.mjs';
import { startServer } from './server.mjs';
import { openSink } from './sink.mjs';
import { ANSWER } from './variants/serve.mjs';

/**
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {object} Slice one counted slice of one variant
 * @property {number} requests
 * @property {number} cpuUs of the server's process and children, a request
 * @property {number} perSecond
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number} rssMiB at the end of the load
 * @property {number} startMs from the start of the process to its listening
 * @property {number} serverBusy share of a processor, 0 to 1
 * @property {number} benchBusy share of a processor that load and sink took
 * @typedef {{ variant: Variant, slices: (Slice | undefined)[], problems: string[] }} Result slices by round
 */

export const CONNECTIONS = 32;
/** Where other work takes the processor, a time alone may be too short: V8 has compiled what is hot by about as many. */
export const WARM_UP_REQUESTS = 20_000;
/** As many keep the 10 ms of the operating system's clock below 1% of what is measured. */
const SLICE_REQUESTS = 5000;

/**
 * Runs the variants one at a time, in turn over several rounds, each round in another order.
 * @param {readonly Variant[]} variants
 * @param {{ rounds: number, seconds: number, warmUpSeconds: number, pinned: boolean, library?: string, say: (line: string) => void }} options
 * @returns {Promise<Result[]>}
 */
export async function runRounds(variants, { rounds, say, ...options }) {
  const sink = await openSink();
  /** @type {Result[]} */
  const results = variants.map((variant) => ({ variant, slices: [], problems: [] }));
  try {
    for (const { variant, problems } of results) {
      await orTell(problems, async () => {
        problems.push(...(await wrongLines(variant, { ...options, sink, openLoad: connect })));
      });
      say(`checked ${variant.id}${problems.length === 0 ? '' : `: ${problems.join('; ')}`}`);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { variant, slices, problems } of rotate(results, round)) {
        slices[round] = await orTell(problems, () => measure(variant, sink, problems, options));
        say(
          `round ${round + 1} of ${rounds}, ${variant.id}: ${slices[round]?.cpuUs.toFixed(1) ?? 'failed'} µs a request`,
        );
      }
    }
  } finally {
    sink.close();
  }
  return results;
}

/**
 * The load that every variant gets.
 * @param {number} port
 */
export function connect(port) {
  return openLoad({ port, connections: CONNECTIONS, answer: JSON.stringify(ANSWER) });
}

/**
 * A variant that fails does not take the others' figures with it.
 * @template T
 * @param {string[]} problems
 * @param {() => Promise<T>} work
 */
async function orTell(problems, work) {
  try {
    return await work();
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/**
 * Every other round runs backwards as well, so that no variant always follows the same one.
 * @template T
 * @param {readonly T[]} list
 * @param {number} round
 */
export function rotate(list, round) {
  const at = (round * 3) % list.length;
  const turned = [...list.slice(at), ...list.slice(0, at)];
  return round % 2 === 0 ? turned : turned.reverse();
}

/**
 * @param {Variant} variant
 * @param {import('./sink.mjs').Sink} sink
 * @param {string[]} problems
 * @param {{ seconds: number, warmUpSeconds: number, pinned: boolean, library?: string }} options
 * @returns {Promise<Slice>}
 */
async function measure(variant, sink, problems, { seconds, warmUpSeconds, pinned, library }) {
  const server = await startServer(variant, { sinkUrl: sink.url, pinned, library, stdout: 'ignore' });
  try {
    const load = await connect(server.port);
    const warm = { seconds: warmUpSeconds / 2, atLeast: WARM_UP_REQUESTS / 2 };
    const first = await load.run(warm);
    // Between the halves: another route makes V8 compile anew what it had settled for one.
    const countedBefore = await countedBy(variant, server.port);
    const second = await load.run(warm);
    await settle(variant, sink, first.requests + second.requests);
    const own = process.cpuUsage();
    const before = cpuMs(server.pid);
    const { requests, seconds: took, p50Ms, p99Ms } = await load.run({ seconds, atLeast: SLICE_REQUESTS });
    const busy = cpuMs(server.pid) - before;
    const { user, system } = process.cpuUsage(own);
    const rss = rssMiB(server.pid);
    // What is sent late is paid too: the processor's time is read again once all has arrived.
    const spans = await settle(variant, sink, requests);
    const cpu = cpuMs(server.pid) - before;
    const counted = (await countedBy(variant, server.port)) - countedBefore;
    problems.push(...wrongSpans(variant, spans, requests));
    const since = second.requests + requests;
    if (variant.histogram !== undefined && counted !== since)
      problems.push(`the histogram counted ${counted} of ${since} requests`);
    load.close();
    return {
      requests,
      cpuUs: (cpu * 1000) / requests,
      perSecond: requests / took,
      p50Ms,
      p99Ms,
      rssMiB: rss,
      startMs: server.startMs,
      serverBusy: busy / (took * 1000),
      benchBusy: (user + system) / (took * 1e6),
    };
  } finally {
    await server.stop();
  }
}
