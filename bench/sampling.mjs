import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runScript, StepFailed, say } from '../scripts/step.mjs';
import { cpuMs } from './cpu.mjs';
import { describeMachine, pinBench } from './machine.mjs';
import { keepLibrary, prepare } from './prepare.mjs';
import { rotate } from './rounds.mjs';
import { SPAN_DELAY_MS, startServer } from './server.mjs';
import { openSink } from './sink.mjs';
import { spread } from './statistics.mjs';
import { toMarkdown } from './table.mjs';
import { connect, REQUESTS } from './workloads.mjs';

/**
 * What a request costs that is not sampled, and one that is recorded in case it ends badly: the same server, the same
 * load, other settings.
 *
 * @typedef {import('./variants.mjs').Variant & { share: number, kept: boolean, base: string }} Setting of the requests sampled, whether those that fail are kept, and the setting it is compared with
 * @typedef {{ cpuUs: number, arrived: number }} Slice CPU and server spans a request
 * @typedef {{ setting: Setting, slices: Slice[], problems: string[] }} Result slices by round
 */

const FAILING_EVERY = 50;
const RATIO = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' };
const RATIO_0 = { ...RATIO, OTEL_TRACES_SAMPLER_ARG: '0' };
const DISABLED = { OTEL_SDK_DISABLED: 'true' };
const UNLOGGED = { LOG_LEVEL: 'CRITICAL' };
const KEEP = { BINNACLE_KEEP: 'error,slow,abort' };
/** As many keep the 10 ms of the operating system's clock below 1% of what is measured. */
const SLICE_REQUESTS = 10_000;
const ARRIVAL_MS = 5000;
const HELP = 'node bench/sampling.mjs [--rounds N] [--seconds S]\n';

/** @type {readonly Setting[]} */
const SETTINGS = [
  toSetting('disabled', '`OTEL_SDK_DISABLED=true`: no span', DISABLED, 0),
  toSetting('disabled-again', 'the same again', DISABLED, 0),
  toSetting('off', '`always_off`', { OTEL_TRACES_SAMPLER: 'always_off' }, 0),
  toSetting('ratio-0', 'a ratio of 0: every request left out', RATIO_0, 0),
  toSetting('ratio', '1% sampled, nothing kept', RATIO, 0.01),
  toSetting('keep', '1% sampled, `BINNACLE_KEEP=error,slow,abort`', { ...RATIO, ...KEEP }, 0.01),
  toSetting('on', '`always_on`: every span sent', { OTEL_TRACES_SAMPLER: 'always_on' }, 1),
  toSetting('unlogged', 'no span, no log line', { ...DISABLED, ...UNLOGGED }, 0, 'unlogged'),
  toSetting('unlogged-again', 'the same again', { ...DISABLED, ...UNLOGGED }, 0, 'unlogged'),
  toSetting('unlogged-ratio-0', 'a ratio of 0, no log line', { ...RATIO_0, ...UNLOGGED }, 0, 'unlogged'),
];

/**
 * @param {string} id
 * @param {string} title
 * @param {Record<string, string>} env
 * @param {number} share
 * @param {string} [base]
 * @returns {Setting}
 */
function toSetting(id, title, env, share, base = 'disabled') {
  const all = { ...env, BENCH_FAILING_EVERY: String(FAILING_EVERY), OTEL_BSP_MAX_QUEUE_SIZE: '100000' };
  return { id, title, file: 'sampling.mjs', env: all, share, kept: 'BINNACLE_KEEP' in env, base };
}

/**
 * @param {Setting} setting
 * @param {{ sink: import('./sink.mjs').Sink, seconds: number, pinned: boolean, library: string }} tools
 * @returns {Promise<Slice & { requests: number }>}
 */
async function measure(setting, { sink, seconds, pinned, library }) {
  const server = await startServer(setting, { sinkUrl: sink.url, pinned, library, stdout: 'ignore' });
  try {
    const load = await connect(REQUESTS, server.port);
    const warm = await load.run({ seconds: 1, atLeast: REQUESTS.warmUp });
    await arrivals(sink, warm.requests * setting.share);
    const before = cpuMs(server.pid);
    const { requests } = await load.run({ seconds, atLeast: SLICE_REQUESTS });
    // What is sent late is paid too: the processor's time is read once all has arrived.
    const spans = await arrivals(sink, setting.share === 1 ? requests : 0);
    const cpuUs = ((cpuMs(server.pid) - before) * 1000) / requests;
    load.close();
    return { cpuUs, arrived: spans / requests, requests };
  } finally {
    await server.stop();
  }
}

/**
 * Waits until the server has had its time to send, and for so many server spans (or until they will never come).
 * @param {import('./sink.mjs').Sink} sink
 * @param {number} atLeast
 */
async function arrivals(sink, atLeast) {
  const end = performance.now() + ARRIVAL_MS;
  const take = () => sink.take().filter(({ server, here }) => server && here).length;
  await sleep(SPAN_DELAY_MS + 200);
  let count = take();
  while (count < Math.floor(atLeast) && performance.now() < end) {
    await sleep(20);
    count += take();
  }
  return count;
}

/**
 * A figure of a server that did not do its work is worth nothing.
 * @param {Setting} setting
 * @param {Slice & { requests: number }} slice
 * @returns {string[]} what is wrong
 */
function wrongIn({ share, kept }, { arrived, requests }) {
  const failing = kept ? (1 - share) / FAILING_EVERY : 0;
  const expected = share + failing;
  // Five standard deviations of the sampler's choice, and one failing request at each end of the slice.
  const slack = 5 * Math.sqrt((share * (1 - share)) / requests) + (kept ? 2 / requests : 0);
  if (Math.abs(arrived - expected) <= slack) return [];
  return [`${(100 * arrived).toFixed(2)}% of the requests arrived, not ${(100 * expected).toFixed(2)}%`];
}

/**
 * One at a time, in turn over several rounds, each round in another order.
 * @param {{ rounds: number, seconds: number, pinned: boolean, library: string }} options
 * @returns {Promise<Result[]>}
 */
async function runRounds({ rounds, ...options }) {
  const sink = await openSink();
  /** @type {Result[]} */
  const results = SETTINGS.map((setting) => ({ setting, slices: [], problems: [] }));
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const { setting, slices, problems } of rotate(results, round)) {
        const slice = await measure(setting, { sink, ...options });
        slices[round] = slice;
        problems.push(...wrongIn(setting, slice));
        say(`round ${round + 1} of ${rounds}, ${setting.id}: ${slice.cpuUs.toFixed(1)} µs a request`);
      }
    }
  } finally {
    sink.close();
  }
  return results;
}

/** @param {readonly Result[]} results */
function toTable(results) {
  /** @param {string} wanted */
  const find = (wanted) => results.find(({ setting }) => setting.id === wanted);
  const off = find('off');
  /** @type {(own: Result, other: Result | undefined) => string} */
  const ratio = (own, other) =>
    spread(own.slices.map(({ cpuUs }, round) => cpuUs / (other?.slices[round]?.cpuUs ?? Number.NaN)));
  const rows = results.map((result) => [
    result.setting.title,
    spread(
      result.slices.map(({ cpuUs }) => cpuUs),
      1,
    ),
    ratio(result, find(result.setting.base)),
    ratio(result, off),
    `${spread(result.slices.map(({ arrived }) => 100 * arrived))}${result.problems.length === 0 ? '' : ` **invalid**: ${result.problems[0]}`}`,
  ]);
  const head = ['setting', 'CPU µs a request', 'to no span', 'to `always_off`', '% of traces that arrived'];
  return toMarkdown([head, ...rows]);
}

/** @param {string[]} argv */
function readOptions(argv) {
  const { values } = parseArgs({ args: argv, options: { rounds: { type: 'string' }, seconds: { type: 'string' } } });
  const options = { rounds: Number(values.rounds ?? 5), seconds: Number(values.seconds ?? 3) };
  const valid = Number.isInteger(options.rounds) && options.rounds >= 1 && options.seconds >= 0.2;
  if (!valid) throw new StepFailed(HELP);
  return options;
}

await runScript(async () => {
  const { rounds, seconds } = readOptions(process.argv.slice(2));
  await prepare();
  const pinned = pinBench();
  const machine = describeMachine(pinned);
  const results = await runRounds({ rounds, seconds, pinned, library: keepLibrary() });
  process.stdout.write(`# What a request costs by what becomes of its spans

\`${['node bench/sampling.mjs', ...process.argv.slice(2)].join(' ')}\`, ${new Date().toISOString().slice(0, 10)}

${toTable(results)}

- Median (least to greatest) over ${rounds} rounds; ratios are taken round by round. "The same again" is the noise. The last three rows write no log line and are compared with the first of them; of the others, the first two write lines without ids, the rest with trace_id, span_id and trace_flags.
- One route of four spans: the server's, a cache look-up, a breaker and one of the user's own; every ${FAILING_EVERY}th request fails.
- ${REQUESTS.connections} connections, each with one request in flight; one server at a time, started anew for each slice; ${REQUESTS.warmUp} requests to warm up, then at least ${seconds} s and ${SLICE_REQUESTS} requests counted; the order changes each round.
- CPU is user and system time of the server's process, from the operating system; what is sent after the load's end is counted too.
- Machine: ${machine}.
`);
  if (results.some(({ problems }) => problems.length > 0))
    throw new StepFailed('A server did not send what it was to send.');
});
