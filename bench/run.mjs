import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { run as runCommand } from '../scripts/run.mjs';
import { runScript, StepFailed, say } from '../scripts/step.mjs';
import { readBudget } from './budget.mjs';
import { describeMachine, pinBench, SERVER_CPU } from './machine.mjs';
import { readOptions } from './options.mjs';
import { toPlot } from './plot.mjs';
import { keepLibrary, prepare } from './prepare.mjs';
import { preparePython } from './python.mjs';
import { toReport } from './report.mjs';
import { runRounds } from './rounds.mjs';
import { measureStarts, START_IDS } from './starts.mjs';
import { ALL } from './variants.mjs';
import { REQUESTS, SESSIONS, STREAMS } from './workloads.mjs';

/** No slice waits longer for a server than this: start, arrival of spans and end together, in seconds. */
const LONGEST_SLICE_S = 120;
const OPERATIONS_MS = 300_000;
/** Starts take little time, and differ much. */
const STARTS_A_ROUND = 3;

/** @typedef {import('./options.mjs').Options} Options */
/** @typedef {import('./variants.mjs').Variant} Variant */

/** @param {Options} options */
async function bench(options) {
  await prepare();
  const python = options.only.includes('python') ? await preparePython() : undefined;
  const variants = variantsOf(options, python);
  const limit = (options.seconds + LONGEST_SLICE_S) * (variants.length + 2) * (options.rounds + 1);
  const watchdog = setTimeout(() => {
    say('The bench took too long and was ended.');
    process.exit(1);
  }, limit * 1000);
  const pinned = pinBench();
  const machine = describeMachine(pinned);
  const start = performance.now();
  const run = await measureAll(variants, options, pinned);
  clearTimeout(watchdog);
  const minutes = (performance.now() - start) / 60_000;
  const report = toReport(run, options, { machine, minutes, python, budget: readBudget() });
  process.stdout.write(report);
  if (options.out !== undefined) {
    const out = resolve(options.out);
    const plot = toPlot(
      run.results,
      `${machine.split(';')[0]}; median, least and greatest of ${options.rounds} rounds`,
    );
    writeFileSync(out, report);
    writeFileSync(`${out.replace(/\.md$/, '')}.svg`, plot);
  }
  if (run.results.some(({ problems }) => problems.length > 0)) {
    throw new StepFailed('A variant did not deliver what it promises: its figures are struck out.');
  }
}

/**
 * @param {Options} options
 * @param {import('./python.mjs').Python | undefined} python
 * @returns {Variant[]}
 */
function variantsOf({ only }, python) {
  const asked = ALL.filter(({ id }) => only.includes(id));
  return asked.flatMap((variant) => {
    if (variant.id !== 'python') return [variant];
    return python === undefined || 'missing' in python ? [] : [{ ...variant, program: python.program }];
  });
}

/**
 * What is loaded in the same way runs in turn; one such group after the other.
 * @param {Variant[]} variants
 * @param {Options} options
 * @param {boolean} pinned
 * @returns {Promise<import('./results.mjs').Run>}
 */
async function measureAll(variants, { only, ...options }, pinned) {
  const library = keepLibrary();
  /** @type {import('./results.mjs').Run} */
  const run = { results: [], starts: [], operations: [] };
  if (only.includes('operations')) {
    say('single operations');
    run.operations = await measureOperations(library, pinned);
  }
  if (only.includes('starts')) {
    say('start-up');
    const started = ALL.filter(({ id }) => START_IDS.includes(id));
    run.starts = await measureStarts(started, { rounds: options.rounds * STARTS_A_ROUND, pinned, library });
  }
  for (const workload of [REQUESTS, STREAMS, SESSIONS]) {
    const group = variants.filter((variant) => variant.workload === workload);
    if (group.length > 0) run.results.push(...(await runRounds(group, { ...options, pinned, say, library })));
  }
  return run;
}

/**
 * In a process of its own, on the server's processor.
 * @param {string} library
 * @param {boolean} pinned
 * @returns {Promise<import('./operations.mjs').Operation[]>}
 */
async function measureOperations(library, pinned) {
  const node = [process.execPath, fileURLToPath(new URL('micro.mjs', import.meta.url)), '--json'];
  const [command = '', ...args] = pinned ? ['taskset', '-c', String(SERVER_CPU), ...node] : node;
  const env = { PATH: process.env.PATH, BENCH_LIBRARY: library };
  const { status, output } = await runCommand(command, args, { env, timeoutMs: OPERATIONS_MS });
  if (status !== 0) throw new StepFailed(`The single operations could not be measured:\n${output}`);
  return JSON.parse(output);
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
