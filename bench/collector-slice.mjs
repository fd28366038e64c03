import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './collector-child.mjs';
import { openPacedLoad } from './collector-load.mjs';
import { rssMiB } from './cpu.mjs';
import { ANSWER } from './variants/serve.mjs';

/**
 * One server's life beside a collector in one state.
 *
 * @typedef {import('./collector-states.mjs').State} State
 * @typedef {{ exported: number, failed: number, dropped: number, queue: number }} Spans
 * @typedef {object} Slice
 * @property {number} requests in the time counted
 * @property {number} served in all
 * @property {number} cpuUs a request, user and system time of all threads
 * @property {number} holdMs the longest of the event loop
 * @property {number} waitedMs in which other work had the server's processor, in all
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number} rssMiB at the end of the load
 * @property {number} peakMiB the most it ever held
 * @property {Spans} loaded as the load ended
 * @property {Spans} ended as the process ended
 * @property {{ attempts: number, spans: number, unique: number }} collector what it says itself
 * @property {string[]} lines WARNING and above
 * @property {number | null} code
 * @property {number} exitMs from SIGTERM to the end of the process
 */

export const FLUSH_MS = 3000;
export const EXPORT_MS = 2000;
export const DELAY_MS = 500;
export const PER_SECOND = 1000;
export const CONNECTIONS = 32;
/** With the seconds of it, about as many requests as V8 needs to have compiled what is hot. */
const WARM_UP_PER_SECOND = 4000;
/** A process that does not end is killed then. */
const LONGEST_EXIT_MS = 15_000;

/**
 * @param {State} state
 * @param {{ seconds: number, warmUpSeconds: number, pinned: boolean, library: string }} options
 * @returns {Promise<Slice>}
 */
export async function measure(state, options) {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-collectors-'));
  const log = join(folder, 'log');
  const scrapeFile = join(folder, 'scrape');
  const fd = openSync(log, 'a');
  const sink = await startChild('collector-sink.mjs', { args: [state.id] });
  try {
    const env = { ...environmentOf(sink.port, options.library), BENCH_SCRAPE_FILE: scrapeFile };
    const server = await startChild('collector-server.mjs', { env, stdout: fd, onServerCpu: options.pinned });
    try {
      const figures = await loadServer(server, options);
      const { code, tookMs } = await server.end('SIGTERM', LONGEST_EXIT_MS);
      return {
        ...figures,
        ended: spansIn(readFileSync(scrapeFile, 'utf8')),
        collector: await sink.ask('what it took'),
        lines: complaintsIn(readFileSync(log, 'utf8')),
        code,
        exitMs: tookMs,
      };
    } finally {
      await server.end('SIGKILL', 0);
    }
  } finally {
    await sink.end('SIGKILL', 0);
    closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {import('./collector-child.mjs').Child} server
 * @param {{ seconds: number, warmUpSeconds: number }} options
 */
async function loadServer(server, { seconds, warmUpSeconds }) {
  const load = await openPacedLoad({ port: server.port, connections: CONNECTIONS, answer: JSON.stringify(ANSWER) });
  const warm = await load.run({ seconds: warmUpSeconds, perSecond: WARM_UP_PER_SECOND });
  // At the rate that is counted, so that what the warm-up left behind is not counted.
  const settled = await load.run({ seconds: 1, perSecond: PER_SECOND });
  const before = await server.ask('reset');
  const { requests, p50Ms, p99Ms } = await load.run({ seconds, perSecond: PER_SECOND });
  const after = await server.ask('read');
  const response = await fetch(`http://127.0.0.1:${server.port}/metrics`, { headers: { connection: 'close' } });
  const loaded = spansIn(await response.text());
  return {
    requests,
    served: warm.requests + settled.requests + requests,
    cpuUs: (after.cpuUs - before.cpuUs) / requests,
    holdMs: after.holdMs,
    waitedMs: after.waitedMs - before.waitedMs,
    p50Ms,
    p99Ms,
    rssMiB: rssMiB(server.pid),
    peakMiB: peakMiB(server.pid),
    loaded,
  };
}

/**
 * @param {number} port the collector's
 * @param {string} library
 */
function environmentOf(port, library) {
  return {
    NODE_ENV: 'production',
    BENCH_LIBRARY: library,
    OTEL_SERVICE_NAME: 'bench',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: String(EXPORT_MS),
    OTEL_BSP_SCHEDULE_DELAY: String(DELAY_MS),
    SHUTDOWN_DELAY_MS: '0',
    SHUTDOWN_FLUSH_MS: String(FLUSH_MS),
  };
}

/**
 * @param {string} scrape
 * @returns {Spans}
 */
function spansIn(scrape) {
  const of = (/** @type {string} */ series) =>
    Number(
      scrape
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1] ?? Number.NaN,
    );
  const result = (/** @type {string} */ what) => of(`binnacle_spans_total{result="${what}"}`);
  const [exported, failed, dropped] = [result('exported'), result('failed'), result('dropped')];
  return { exported, failed, dropped, queue: of('binnacle_span_queue') };
}

/**
 * @param {string} log
 * @returns {string[]}
 */
function complaintsIn(log) {
  const lines = log.split('\n').filter((line) => line !== '');
  const worse = lines.map((line) => JSON.parse(line)).filter(({ level }) => !['DEBUG', 'INFO'].includes(level));
  return worse.map(({ level, message }) => `${level} ${message}`);
}

/** @param {number} pid */
function peakMiB(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
