import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runScript, StepFailed, say } from '../scripts/step.mjs';
import { toReport } from './collector-report.mjs';
import { measure } from './collector-slice.mjs';
import { HEALTHY, STATES } from './collector-states.mjs';
import { isQuietEnough, wrongBeside, wrongIn } from './collector-verdict.mjs';
import { describeMachine, pinBench } from './machine.mjs';
import { keepLibrary, prepare } from './prepare.mjs';

const HELP = `node bench/collectors.mjs [--rounds N] [--seconds S] [--out FILE]
What a collector that fails costs the service that it observes, beside a healthy one.
`;
const WARM_UP_S = 4;
/** No slice takes longer than this besides its load: start, flush and end, in seconds. */
const LONGEST_SLICE_S = 60;

/** @typedef {{ rounds: number, seconds: number, out: string }} Options */
/** @typedef {import('./collector-slice.mjs').Slice} Slice */
/** @typedef {import('./collector-verdict.mjs').Result} Result */

/**
 * @param {string[]} argv
 * @returns {Options | string} what to do, or what to print instead
 */
function readOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      out: { type: 'string', default: fileURLToPath(new URL('collectors.md', import.meta.url)) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return HELP;
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 50)) return `--rounds is a number from 1 to 50\n${HELP}`;
  if (!(seconds >= 1 && seconds <= 60)) return `--seconds is a number from 1 to 60\n${HELP}`;
  return { rounds, seconds, out: resolve(values.out) };
}

/**
 * All states in turn, over several rounds; every other round runs backwards, and each begins elsewhere. What a
 * processor does in a second changes by the minute on a machine that is shared, so a healthy collector's turn comes
 * after every two: each state stands next to one.
 * @param {{ rounds: number, seconds: number, warmUpSeconds: number, pinned: boolean, library: string }} options
 * @returns {Promise<{ healthy: Result, others: Result[] }>}
 */
async function runRounds({ rounds, ...options }) {
  const healthy = toResult(HEALTHY);
  const others = STATES.map(toResult);
  for (let round = 0; round < rounds; round += 1) {
    const at = (round * 3) % others.length;
    const turned = [...others.slice(at), ...others.slice(0, at)];
    const order = round % 2 === 0 ? turned : turned.reverse();
    const label = `round ${round + 1} of ${rounds}`;
    let before = await runSlice(healthy, label, options);
    keep(healthy, before, undefined);
    for (let next = 0; next < order.length; next += 2) {
      const pair = order.slice(next, next + 2);
      /** @type {(Slice | undefined)[]} */
      const slices = [];
      for (const result of pair) slices.push(await runSlice(result, label, options));
      const after = await runSlice(healthy, label, options);
      for (const [index, result] of pair.entries()) keep(result, slices[index], index === 0 ? before : after);
      keep(healthy, after, before);
      before = after;
    }
  }
  return { healthy, others };
}

/**
 * @param {Result['state']} state
 * @returns {Result}
 */
function toResult(state) {
  return { state, slices: [], healthy: [], problems: [] };
}

/**
 * @param {Result} result
 * @param {Slice | undefined} slice
 * @param {Slice | undefined} beside
 */
function keep({ slices, healthy }, slice, beside) {
  if (slice === undefined) return;
  slices.push(slice);
  healthy.push(beside);
}

/**
 * A slice that fails does not take the others' figures with it.
 * @param {Result} result
 * @param {string} label
 * @param {Parameters<typeof measure>[1]} options
 * @returns {Promise<Slice | undefined>}
 */
async function runSlice({ state, problems }, label, options) {
  try {
    const slice = await measure(state, options);
    problems.push(...wrongIn(state, slice).map((what) => `${label}: ${what}`));
    const [cpu, hold, exit] = [slice.cpuUs.toFixed(1), slice.holdMs.toFixed(0), slice.exitMs.toFixed(0)];
    say(`${label}, ${state.id}: ${cpu} µs a request, held ${hold} ms, ended in ${exit} ms`);
    return slice;
  } catch (error) {
    problems.push(`${label}: ${error instanceof Error ? error.message : String(error)}`);
    say(`${label}, ${state.id}: failed`);
    return undefined;
  }
}

/** @param {Options} options */
async function bench({ rounds, seconds, out }) {
  if (process.platform !== 'linux') throw new StepFailed("The figures are Linux's: /proc tells them.");
  await prepare();
  const watchdog = setTimeout(
    () => {
      say('The bench took too long and was ended.');
      process.exit(1);
    },
    (seconds + LONGEST_SLICE_S) * 2 * STATES.length * rounds * 1000,
  );
  const pinned = pinBench();
  const machine = describeMachine(pinned);
  const { healthy, others } = await runRounds({
    rounds,
    seconds,
    warmUpSeconds: WARM_UP_S,
    pinned,
    library: keepLibrary(),
  });
  clearTimeout(watchdog);
  for (const result of others) result.problems.push(...wrongBeside(result, healthy));
  const report = toReport(healthy, others, { rounds, seconds, machine });
  process.stdout.write(report);
  writeFileSync(out, report);
  if ([healthy, ...others].some(({ problems }) => problems.length > 0)) {
    throw new StepFailed('What is promised beside a failing collector did not hold: see the report.');
  }
  if (!isQuietEnough(healthy)) {
    throw new StepFailed('Two healthy runs differ by more than what is judged: other work disturbed the figures.');
  }
}

await runScript(async () => {
  const options = readOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stdout.write(options);
    process.exitCode = process.argv.includes('--help') ? 0 : 1;
    return;
  }
  await bench(options);
});
