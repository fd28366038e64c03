import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runScript, StepFailed, say } from '../scripts/step.mjs';
import { toReport } from './ai-report.mjs';
import { CASES, CHUNKS, VARIANTS, wrongIn, wrongOver } from './ai-verdict.mjs';
import { startChild } from './collector-child.mjs';
import { describeMachine, pinBench } from './machine.mjs';
import { keepLibrary, prepare } from './prepare.mjs';

const HELP = `node bench/ai-stream.mjs [--rounds N] [--streams N] [--out FILE]
What observing an SDK of a language model costs for each chunk of a stream, beside the bare SDK.
`;
/** Streams before those that count: the hot code is compiled by then. */
const WARM_UP = 64;
/** No slice takes longer: start, warm-up and streams, in seconds. */
const LONGEST_SLICE_S = 120;

/** @typedef {{ rounds: number, streams: number, out: string }} Options */
/** @typedef {import('./ai-verdict.mjs').Result} Result */
/** @typedef {import('./ai-verdict.mjs').Slice} Slice */

/**
 * @param {string[]} argv
 * @returns {Options | string} what to do, or what to print instead
 */
function readOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      rounds: { type: 'string', default: '7' },
      streams: { type: 'string', default: '64' },
      out: { type: 'string', default: fileURLToPath(new URL('ai-stream.md', import.meta.url)) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return HELP;
  const [rounds, streams] = [Number(values.rounds), Number(values.streams)];
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 50)) return `--rounds is a number from 1 to 50\n${HELP}`;
  if (!(Number.isInteger(streams) && streams >= 1 && streams <= 200))
    return `--streams is a number from 1 to 200\n${HELP}`;
  return { rounds, streams, out: resolve(values.out) };
}

/**
 * All variants of a case stand next to each other, since a processor that is shared changes by the minute; every other
 * round runs backwards.
 * @param {{ rounds: number, streams: number, pinned: boolean, library: string, url: string }} options
 * @returns {Promise<Result[]>}
 */
async function runRounds({ rounds, ...options }) {
  const results = CASES.flatMap((one) =>
    VARIANTS.map((variant) => /** @type {Result} */ ({ case: one, variant, slices: [], problems: [] })),
  );
  for (let round = 0; round < rounds; round += 1) {
    for (const result of round % 2 === 0 ? results : results.toReversed()) {
      const label = `round ${round + 1} of ${rounds}, ${result.case.id}, ${result.variant.id}`;
      try {
        const slice = await measure(result, options);
        result.slices[round] = slice;
        result.problems.push(...wrongIn(result, slice, options.streams).map((what) => `${label}: ${what}`));
        say(`${label}: ${slice.cpuUs.toFixed(2)} µs and ${slice.bytes.toFixed(0)} bytes a chunk`);
      } catch (error) {
        result.problems.push(`${label}: ${error instanceof Error ? error.message : String(error)}`);
        say(`${label}: failed`);
      }
    }
  }
  return results;
}

/**
 * One process, from its start to its end.
 * @param {Result} result
 * @param {{ streams: number, pinned: boolean, library: string, url: string }} options
 * @returns {Promise<Slice>}
 */
async function measure({ case: { sdk, pace }, variant }, { streams, pinned, library, url }) {
  const child = await startChild('ai-client.mjs', {
    env: {
      BENCH_LIBRARY: library,
      BENCH_URL: `${url}/${pace}`,
      BENCH_SDK: sdk,
      BENCH_VARIANT: variant.id,
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
    },
    onServerCpu: pinned,
  });
  try {
    const before = await child.ask(WARM_UP);
    const { chunks, cpuUs, bytes, calls, gaps } = await child.ask(streams);
    return {
      chunks,
      cpuUs: cpuUs / chunks,
      bytes: bytes / chunks,
      calls: calls - before.calls,
      gaps: gaps - before.gaps,
    };
  } finally {
    await child.end('SIGKILL', LONGEST_SLICE_S * 1000);
  }
}

/** @param {Options} options */
async function bench({ rounds, streams, out }) {
  await prepare();
  const watchdog = setTimeout(
    () => {
      say('The bench took too long and was ended.');
      process.exit(1);
    },
    LONGEST_SLICE_S * CASES.length * VARIANTS.length * rounds * 1000,
  );
  const pinned = pinBench();
  const machine = describeMachine(pinned);
  const server = await startChild('ai-server.mjs');
  const url = `http://127.0.0.1:${server.port}`;
  const results = await runRounds({ rounds, streams, pinned, library: keepLibrary(), url });
  await server.end('SIGTERM', 1000);
  clearTimeout(watchdog);
  const report = toReport(results, { rounds, streams, warmUp: WARM_UP, machine });
  process.stdout.write(report);
  writeFileSync(out, report);
  const wrong = [...results.flatMap(({ problems }) => problems), ...wrongOver(results)];
  if (wrong.length > 0)
    throw new StepFailed(`What is promised of a ${CHUNKS}-chunk stream did not hold: see the report.`);
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
