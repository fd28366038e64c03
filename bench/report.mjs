import process from 'node:process';
import { toAcceptance } from './acceptance.mjs';
import { describePackages } from './machine.mjs';
import { isCrowded, toNoise } from './noise.mjs';
import { SPAN_DELAY_MS } from './server.mjs';
import { toMarkdown, toOperationTable, toRequestTable, toSessionTable, toStartTable, toStreamTable } from './table.mjs';
import { EVENTS } from './variants/serve.mjs';
import { REQUESTS, SESSIONS, STREAMS } from './workloads.mjs';

/**
 * The whole run as a page.
 *
 * @typedef {import('./results.mjs').Run} Run
 * @typedef {import('./options.mjs').Options} Options
 */

/**
 * @param {Run} run
 * @param {Options} options
 * @param {{ machine: string, minutes: number, python: import('./python.mjs').Python | undefined, budget: import('./budget.mjs').Budget }} about
 */
export function toReport(run, options, about) {
  const of = (/** @type {import('./workloads.mjs').Workload} */ workload) =>
    run.results.filter(({ variant }) => variant.workload === workload);
  const parts = [
    toRequests(of(REQUESTS)),
    toStreams(of(STREAMS)),
    toSessions(of(SESSIONS)),
    run.starts.length === 0 ? '' : `## Start-up\n\n${toStartTable(run.starts)}`,
    run.operations.length === 0 ? '' : `## Single operations\n\n${toOperationTable(run.operations)}`,
    toProblems(run),
    toMethod(options, about),
    `## What was promised\n\n${toCaveat(of(REQUESTS))}\n\n${toAcceptance(run, about.budget.acceptance)}`,
  ];
  const command = ['node bench/run.mjs', ...process.argv.slice(2)].join(' ');
  const head = `# What observing a request costs

\`${command}\`, ${new Date().toISOString().slice(0, 10)}, ${about.minutes.toFixed(0)} minutes. Ratios are taken round by round within this run: median (least to greatest).`;
  return `${[head, ...parts.filter((part) => part !== '')].join('\n\n')}\n`;
}

/** @param {Run['results']} results of requests */
function toCaveat(results) {
  const how = 'Bounds of [budget.json](budget.json), judged by the median of the rounds.';
  return isCrowded(results) ? `${how} **Other work took the processors meanwhile: these verdicts do not stand.**` : how;
}

/** @param {Run['results']} results */
function toRequests(results) {
  if (results.length === 0) return '';
  return `## A request

One route answering a small JSON.

${toRequestTable(results)}

${toNoise(results)}`;
}

/** @param {Run['results']} results */
function toStreams(results) {
  if (results.length === 0) return '';
  return `## A stream of ${EVENTS} events

One route answering with ${EVENTS} Server-Sent Events, each written in a turn of the event loop of its own, as tokens come from a model. Of Binnacle every event is counted, and the longest gap between two is known.

${toStreamTable(results)}`;
}

/** @param {Run['results']} results */
function toSessions(results) {
  if (results.length === 0) return '';
  return `## A session of fit-check

The whole reference service on its embedded analyst, corpus and SQLite: five phases, two breakers, two caches, two database writes and an AI stream a session, each a span, a metric and a line. Compared is the same build on a stand-in for the library ([stand-in/](stand-in/index.mjs)), which does what the service needs done (time limits, durations, settings) and tells nobody: no metric, no line, no span, no context; nor does it notice a client that goes away.

${toSessionTable(results)}`;
}

/** @param {Run} run */
function toProblems({ results }) {
  const wrong = results.filter(({ problems }) => problems.length > 0);
  if (wrong.length === 0) return '';
  const rows = wrong.map(({ variant, problems }) => [
    variant.id,
    problems.map((text) => text.split('\n')[0]).join('; '),
  ]);
  return `## What is wrong\n\n${toMarkdown([['variant', 'did not deliver'], ...rows])}`;
}

/**
 * @param {Options} options
 * @param {{ machine: string, python: import('./python.mjs').Python | undefined }} about
 */
function toMethod({ rounds, seconds, pacedSeconds, warmUpSeconds }, { machine, python }) {
  const peer =
    python === undefined
      ? ''
      : `\n- Python: ${'missing' in python ? `**left out**: ${python.missing}` : `${python.about}; one worker; it bears less than the fixed rate`}.`;
  return `## How

- Machine: ${machine}.
- Packages: ${describePackages()}.${peer}
- One server at a time, started anew for each of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}; the order of the variants changes each round. ${REQUESTS.connections} connections (sessions: ${SESSIONS.connections}), each with one request in flight. At least ${warmUpSeconds} s and ${REQUESTS.warmUp} requests to warm up (${STREAMS.warmUp} streams, ${SESSIONS.warmUp} sessions), then full load for ${seconds} s, then, of requests, ${REQUESTS.perSecond} a second for ${pacedSeconds} s, evenly spaced; there latency counts from when a request was due.
- CPU is user and system time of the server's process, all its threads and children, from the operating system, over the requests served; what is sent after the load's end is counted too. RSS is at the end of full load.
- Logs go to /dev/null through each variant's own destination; spans as OTLP http/protobuf to a sink on loopback, batches of the default size, a part of one after ${SPAN_DELAY_MS} ms.
- Delivered: each request of each slice left its span (ids unique, start and end set), of those sampled at 10% as many as chance allows (5 standard deviations), and its observation; in a run of its own with the log in a file, its lines, each of them JSON and, where there are spans, with the id of one that arrived (of a trace that was not sampled: of none). With the collector unreachable every span is counted as lost. A variant that did not deliver is struck out.`;
}
