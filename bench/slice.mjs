import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs, rssMiB } from './cpu.mjs';
import { settle, toldBy, wrongSeries, wrongSpans } from './delivered.mjs';
import { openPage } from './page.mjs';
import { startServer } from './server.mjs';
import { connect } from './workloads.mjs';

/**
 * One server's life under load.
 *
 * @typedef {object} Slice
 * @property {number} requests at full load
 * @property {number} cpuUs of the server's process and children, a request
 * @property {number} perSecond
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number} pacedCpuUs a request at the fixed rate; not a number where there was none
 * @property {number} pacedP99Ms
 * @property {number} rssMiB at the end of full load
 * @property {number} startMs from the start of the process to its listening
 * @property {number} serverBusy share of a processor at full load, 0 to 1
 * @property {number} benchBusy share of a processor that load and sink took
 *
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {{ sink: import('./sink.mjs').Sink, seconds: number, pacedSeconds: number, warmUpSeconds: number, pinned: boolean, library?: string }} Tools
 * @typedef {{ variant: Variant, server: import('./server.mjs').Server, load: import('./load.mjs').Load, problems: string[] }} Running
 */

/** What a variant without a compiler, or with little to compile, warms up with: a share. */
const SLOW_WARM_UP = 0.05;
/** A page is told of what happened within this, in milliseconds. */
const PAGE_MS = 3000;

/**
 * @param {Variant} variant
 * @param {string[]} problems what it did not deliver is added
 * @param {Tools} tools
 * @returns {Promise<Slice>}
 */
export async function measure(variant, problems, tools) {
  const { sink, pinned, library } = tools;
  const server = await startServer(variant, { sinkUrl: sink.url, pinned, library, stdout: 'ignore' });
  /** @type {import('./page.mjs').Page | undefined} */
  let page;
  try {
    if (variant.page) page = await openPage(server.port);
    const load = await connect(variant.workload, server.port);
    const running = { variant, server, load, problems };
    const { first, second, before } = await warmUp(running, tools);
    const full = await measureFull(running, tools);
    const paced = await measurePaced(running, tools);
    const after = await toldBy(variant, server.port);
    const since = second + full.requests + paced.requests;
    problems.push(...wrongSeries(variant, { before, after, since, all: first + since }));
    load.close();
    if (page !== undefined) problems.push(...(await wrongPage(page)));
    return { ...full, pacedCpuUs: paced.cpuUs, pacedP99Ms: paced.p99Ms, startMs: server.startMs };
  } finally {
    page?.close();
    await server.stop();
  }
}

/**
 * That the page was told of what happened, for else it cost nothing.
 * @param {import('./page.mjs').Page} page
 */
async function wrongPage(page) {
  const missing = () => ['spans', 'logs'].filter((name) => page.events(name) === 0);
  const deadline = performance.now() + PAGE_MS;
  while (missing().length > 0 && performance.now() < deadline) await sleep(20);
  return missing().map((name) => `a page without ${name}`);
}

/**
 * @param {Running} running
 * @param {Tools} tools
 */
async function warmUp({ variant, server, load }, { sink, warmUpSeconds }) {
  const requests = variant.workload.warmUp * (variant.slow ? SLOW_WARM_UP : 1);
  const half = { seconds: warmUpSeconds / 2, atLeast: Math.ceil(requests / 2) };
  const first = await load.run(half);
  // Between the halves: another route makes V8 compile anew what it had settled for one.
  const before = await toldBy(variant, server.port);
  const second = await load.run(half);
  await settle(variant, sink, first.requests + second.requests);
  return { first: first.requests, second: second.requests, before };
}

/**
 * As many as the server answers.
 * @param {Running} running
 * @param {Tools} tools
 */
async function measureFull({ variant, server, load, problems }, { sink, seconds }) {
  const own = process.cpuUsage();
  const before = cpuMs(server.pid);
  const loaded = await load.run({ seconds, atLeast: variant.workload.atLeast });
  const { requests, seconds: took, p50Ms, p99Ms } = loaded;
  const busy = cpuMs(server.pid) - before;
  const { user, system } = process.cpuUsage(own);
  const rss = rssMiB(server.pid);
  // What is sent late is paid too: the processor's time is read again once all has arrived.
  problems.push(...wrongSpans(variant, await settle(variant, sink, requests), requests));
  return {
    requests,
    cpuUs: ((cpuMs(server.pid) - before) * 1000) / requests,
    perSecond: requests / took,
    p50Ms,
    p99Ms,
    rssMiB: rss,
    serverBusy: busy / (took * 1000),
    benchBusy: (user + system) / (took * 1e6),
  };
}

/**
 * As many as are asked: what a request costs a server that has time left.
 * @param {Running} running
 * @param {Tools} tools
 */
async function measurePaced({ variant, server, load, problems }, { sink, pacedSeconds }) {
  const { perSecond } = variant.workload;
  if (perSecond === undefined || variant.slow || pacedSeconds === 0)
    return { requests: 0, cpuUs: Number.NaN, p99Ms: Number.NaN };
  const before = cpuMs(server.pid);
  const { requests, p99Ms } = await load.runPaced({ seconds: pacedSeconds, perSecond });
  problems.push(...wrongSpans(variant, await settle(variant, sink, requests), requests));
  return { requests, cpuUs: ((cpuMs(server.pid) - before) * 1000) / requests, p99Ms };
}
