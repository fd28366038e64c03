import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runScript, StepFailed, say } from '../scripts/step.mjs';
import { describeMachine, describePackages, pinBench } from './machine.mjs';
import { readOptions } from './options.mjs';
import { keepLibrary, prepare } from './prepare.mjs';
import { CONNECTIONS, runRounds, WARM_UP_REQUESTS } from './rounds.mjs';
import { SPAN_DELAY_MS } from './server.mjs';
import { toComparison, toNoise, toTable } from './table.mjs';
import { ALL } from './variants.mjs';

/** No slice waits longer for a server than this: start, arrival of spans and end together, in seconds. */
const LONGEST_SLICE_S = 120;

/** @typedef {import('./options.mjs').Options} Options */

/** @param {Options} options */
async function bench(options) {
  await prepare();
  const variants = ALL.filter(({ id }) => options.only.includes(id));
  const limit = (options.seconds + options.warmUpSeconds + LONGEST_SLICE_S) * variants.length * (options.rounds + 1);
  const watchdog = setTimeout(() => {
    say('The bench took too long and was ended.');
    process.exit(1);
  }, limit * 1000);
  const pinned = pinBench();
  const machine = describeMachine(pinned);
  const results = await runRounds(variants, { ...options, pinned, say, library: keepLibrary() });
  clearTimeout(watchdog);
  const report = toReport(results, options, machine);
  process.stdout.write(report);
  if (options.out !== undefined) writeFileSync(resolve(options.out), report);
  if (results.some(({ problems }) => problems.length > 0)) {
    throw new StepFailed('A variant did not deliver what it promises: its figures are struck out.');
  }
}

/**
 * @param {import('./rounds.mjs').Result[]} results
 * @param {Options} options
 * @param {string} machine
 */
function toReport(results, { rounds, seconds, warmUpSeconds }, machine) {
  const command = ['node bench/run.mjs', ...process.argv.slice(2)].join(' ');
  return `# What observing a request costs

\`${command}\`, ${new Date().toISOString().slice(0, 10)}

${toTable(results)}

${toComparison(results)}

${toNoise(results)}

- Machine: ${machine}.
- Packages: ${describePackages()}.
- One route answering a small JSON, ${CONNECTIONS} connections, each with one request in flight; one server at a time, started anew for each of ${rounds} rounds; at least ${warmUpSeconds} s and ${WARM_UP_REQUESTS} requests to warm up, then ${seconds} s counted; the order of the variants changes each round.
- CPU is user and system time of the server's process, all its threads and children, from the operating system, over the requests served; what is sent after the load's end is counted too. Ratios are taken round by round.
- Logs go to /dev/null through each variant's own destination; spans as OTLP http/protobuf to a sink on loopback, all sampled, batches of the default size, a part of one after ${SPAN_DELAY_MS} ms.
- Delivered: each request of each slice left its span (ids unique, start and end set) and its observation; in a run of its own with the log in a file, its lines, each of them JSON and, where there are spans, with the id of a trace that arrived. A variant that did not is struck out.
`;
}

await runScript(async () => {
  const options = readOptions(process.argv.slice(2), fileURLToPath(new URL('results.md', import.meta.url)));
  if (typeof options === 'string') {
    process.stdout.write(options);
    process.exitCode = process.argv.includes('--help') ? 0 : 1;
    return;
  }
  await bench(options);
});
