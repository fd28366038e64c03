import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runScript, StepFailed, say } from '../scripts/step.mjs';
import { cpuMs, rssMiB } from './cpu.mjs';
import { describeMachine, pinBench } from './machine.mjs';
import { CONSOLE_TOKEN } from './page.mjs';
import { keepLibrary, prepareLibrary } from './prepare.mjs';
import { startServer } from './server.mjs';
import { openSoakPage } from './soak-page.mjs';
import { isWithinBounds, toSoakReport } from './soak-report.mjs';
import { openSoakLoad } from './soak-work.mjs';
import { REQUESTS } from './workloads.mjs';

const HELP = `node bench/soak.mjs [--minutes N] [--per-second N] [--out FILE]
The console open in a Chromium beside a service under load: memory and frames of the page, processor of the service.
`;
/** How long the service is measured without its console, before and after, as a share; and at most, in seconds. */
const OFF_SHARE = 0.1;
const OFF_S = 60;
/** Its first requests, which are not counted, in seconds. */
const WARM_UP_S = 10;
/** When the page is looked at, as a share of the time; its rings are full long before the second. */
const MARKS = /** @type {const} */ ([
  ['start', 0.02],
  ['full', 0.2],
  ['middle', 0.5],
  ['end', 0.92],
]);
/** How long its frames are counted each time, all views together: a share, and at most in seconds. */
const FRAMES_SHARE = 0.05;
const FRAMES_S = 35;

/** @typedef {{ minutes: number, perSecond: number, out: string | undefined }} Options */
/** @typedef {import('./soak-report.mjs').Work} Work */
/** @typedef {import('./soak-report.mjs').Mark} Mark */
/** @typedef {{ perSecond: number, pinned: boolean, library: string, sinkUrl: string }} Tools */

/**
 * @param {string[]} argv
 * @returns {Options | string} what to do, or what to print instead
 */
function readOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      minutes: { type: 'string', default: '10' },
      'per-second': { type: 'string', default: '500' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return HELP;
  const [minutes, perSecond] = [Number(values.minutes), Number(values['per-second'])];
  if (!(minutes >= 0.5 && minutes <= 24 * 60)) return `--minutes is a number from 0.5 to 1440\n${HELP}`;
  if (!(Number.isInteger(perSecond) && perSecond >= 1 && perSecond <= 2000))
    return `--per-second is a number from 1 to 2000\n${HELP}`;
  return { minutes, perSecond, out: values.out === undefined ? undefined : resolve(values.out) };
}

/** @param {Options} options */
async function soak({ minutes, perSecond, out }) {
  await prepareLibrary();
  const pinned = pinBench();
  const sink = await openNowhere();
  const tools = { perSecond, pinned, library: keepLibrary(), sinkUrl: sink.url };
  const machine = describeMachine(pinned);
  const offSeconds = Math.min(OFF_S, minutes * 60 * OFF_SHARE);
  try {
    say(`console off, ${Math.round(offSeconds)} s`);
    const before = await measureOff(offSeconds, tools);
    say(`console on, ${minutes} min`);
    const { on, marks, troubles } = await measureOn(minutes * 60, tools);
    say(`console off, ${Math.round(offSeconds)} s`);
    const after = await measureOff(offSeconds, tools);
    const measured = { minutes, perSecond, machine, off: [before, after], on, marks, troubles };
    const report = toSoakReport(measured);
    process.stdout.write(report);
    if (out !== undefined) writeFileSync(out, report);
    if (!isWithinBounds(measured)) throw new StepFailed('The page did not stay within its bounds.');
  } finally {
    sink.close();
  }
}

/**
 * @param {Record<string, string>} env
 * @param {Tools} tools
 */
function startService(env, { sinkUrl, pinned, library }) {
  const variant = { id: 'soak', title: 'soak', workload: REQUESTS, file: 'soak.mjs', env };
  return startServer(variant, { sinkUrl, pinned, library, stdout: 'ignore' });
}

/**
 * @param {number} seconds
 * @param {Tools} tools
 */
async function measureOff(seconds, tools) {
  const server = await startService({}, tools);
  try {
    return await work(server, seconds, tools);
  } finally {
    await server.stop();
  }
}

/**
 * @param {number} seconds
 * @param {Tools} tools
 */
async function measureOn(seconds, tools) {
  const server = await startService({ CONSOLE_TOKEN }, tools);
  try {
    const page = await openSoakPage(`http://127.0.0.1:${server.port}`);
    try {
      const [on, marks] = await Promise.all([work(server, seconds, tools), lookAt(page, seconds)]);
      return { on, marks, troubles: page.troubles };
    } finally {
      await page.close();
    }
  } finally {
    await server.stop();
  }
}

/**
 * @param {import('./server.mjs').Server} server
 * @param {number} seconds
 * @param {Tools} tools
 * @returns {Promise<Work>}
 */
async function work(server, seconds, { perSecond }) {
  const load = await openSoakLoad(server.port);
  // The load sleeps between requests: the browser shares its processor.
  const turn = () => sleep(1);
  try {
    await load.runPaced({ seconds: WARM_UP_S, perSecond }, turn);
    const before = cpuMs(server.pid);
    const { requests, seconds: took, p50Ms, p99Ms } = await load.runPaced({ seconds, perSecond }, turn);
    const cpuUs = ((cpuMs(server.pid) - before) * 1000) / requests;
    return { cpuUs, p50Ms, p99Ms, rssMiB: rssMiB(server.pid), perSecond: requests / took };
  } finally {
    load.close();
  }
}

/**
 * @param {import('./soak-page.mjs').SoakPage} page
 * @param {number} seconds
 * @returns {Promise<Mark[]>}
 */
async function lookAt(page, seconds) {
  const start = performance.now() + WARM_UP_S * 1000;
  /** @type {Mark[]} */
  const marks = [];
  for (const [name, share] of MARKS) {
    await sleep(Math.max(0, start + share * seconds * 1000 - performance.now()));
    const atSeconds = (performance.now() - start) / 1000;
    marks.push({ name, atSeconds, ...(await page.sample(Math.min(FRAMES_S, seconds * FRAMES_SHARE))) });
    say(`${name}: ${marks.at(-1)?.heapMiB.toFixed(1)} MiB`);
  }
  return marks;
}

/** Takes spans, and forgets them. */
async function openNowhere() {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  await new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done(undefined));
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

await runScript(async () => {
  const options = readOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stdout.write(options);
    process.exitCode = process.argv.includes('--help') ? 0 : 1;
    return;
  }
  await soak(options);
});
