import process from 'node:process';
import { CONNECTIONS, DELAY_MS, EXPORT_MS, FLUSH_MS, PER_SECOND } from './collector-slice.mjs';
import {
  CPU_RATIO,
  compareToHealthy,
  EXIT_MS,
  HOLD_OVER_MS,
  isQuietEnough,
  leastToLeast,
  MEMORY_OVER_MIB,
} from './collector-verdict.mjs';
import { median, spread } from './statistics.mjs';
import { toMarkdown } from './table.mjs';

/** @typedef {import('./collector-verdict.mjs').Result} Result */

const HEAD = [
  'collector',
  'CPU to healthy',
  'least to least',
  'CPU µs a request',
  'worst hold ms',
  'p50 ms',
  'p99 ms',
  'RSS over healthy MiB',
  'spans exported / failed / dropped, of ended',
  'lines',
  'exit ms',
  'verdict',
];

/**
 * @param {Result} healthy
 * @param {Result[]} others
 * @param {{ rounds: number, seconds: number, machine: string }} run
 */
export function toReport(healthy, others, { rounds, seconds, machine }) {
  const results = [healthy, ...others];
  const command = ['node bench/collectors.mjs', ...process.argv.slice(2)].join(' ');
  return `# What a failing collector costs the service

\`${command}\`, ${new Date().toISOString().slice(0, 10)}

${toMarkdown([HEAD, ...results.map((result) => toRow(result, healthy))])}

${toNoise(healthy, results)}

- Machine: ${machine}.
- One route answering a small JSON, every signal on, every request a span; ${PER_SECOND} requests/s over ${CONNECTIONS} connections for ${seconds} s, after a warm-up in the same state; latency from when a request was due. ${rounds} ${rounds === 1 ? 'round' : 'rounds in another order each'}, a healthy collector's turn after every two states; the server and its collector started anew for each slice, one at a time; the collector and the load on the other processor.
- OTEL_EXPORTER_OTLP_TIMEOUT=${EXPORT_MS}, OTEL_BSP_SCHEDULE_DELAY=${DELAY_MS}, SHUTDOWN_DELAY_MS=0, SHUTDOWN_FLUSH_MS=${FLUSH_MS}; the queue and its batches as they are by default: 2048 and 512 spans.
- CPU is user and system time of all the server's threads over the time counted, to the healthy run just before or after it; median (least to greatest). The worst hold is \`monitorEventLoopDelay\`'s greatest, beyond its resolution: median (least to greatest) of the rounds. RSS is at the end of the load. Spans are of the last round, as the process ended.
- Asserted: CPU at most ${CPU_RATIO} times (by the median, or by the least of all rounds to the least of the healthy ones: other work only adds), hold at most ${HOLD_OVER_MS} ms and memory (at the end of the load, and the most ever held) at most ${MEMORY_OVER_MIB} MiB beyond the healthy one's, by the median of the rounds; in each slice every request answered with 200, spans ended = exported + failed + dropped + waiting, under load by \`/metrics\` and after the last flush, what a collector took once and no more; one WARNING an outage, none without; status 0 at most ${EXIT_MS} ms after SIGTERM, which comes as the load ends.
${toProblems(results)}`;
}

/**
 * @param {Result} result
 * @param {Result} healthy
 */
function toRow(result, healthy) {
  const { cpu, rss } = compareToHealthy(result);
  const last = result.slices.at(-1);
  const { exported, failed, dropped } = last?.ended ?? {
    exported: Number.NaN,
    failed: Number.NaN,
    dropped: Number.NaN,
  };
  return [
    result.state.title,
    spread(cpu),
    leastToLeast(result, healthy).toFixed(2),
    median(result.slices.map(({ cpuUs }) => cpuUs)).toFixed(1),
    spread(
      result.slices.map(({ holdMs }) => holdMs),
      1,
    ),
    median(result.slices.map(({ p50Ms }) => p50Ms)).toFixed(2),
    median(result.slices.map(({ p99Ms }) => p99Ms)).toFixed(2),
    spread(rss, 0),
    `${exported} / ${failed} / ${dropped}, of ${last?.served}`,
    String(median(result.slices.map(({ lines }) => lines.length))),
    spread(
      result.slices.map(({ exitMs }) => exitMs),
      0,
    ),
    result.problems.length === 0 ? 'holds' : `**${result.problems.length} wrong**`,
  ];
}

/**
 * @param {Result} healthy
 * @param {Result[]} results with it
 */
function toNoise(healthy, results) {
  const waits = results.flatMap(({ slices }) => slices.map(({ waitedMs }) => waitedMs));
  const told = `Noise: one healthy run to the one before it is the first row; in a slice other work had the server's processor for ${spread(waits, 0)} ms in all, which holds and latencies contain.`;
  return isQuietEnough(healthy) ? told : `${told} **That is more than what is judged: other work disturbed it.**`;
}

/** @param {Result[]} results */
function toProblems(results) {
  const wrong = results.flatMap(({ state, problems }) => problems.map((problem) => `- **${state.id}**: ${problem}\n`));
  return wrong.length === 0 ? '' : `\nWhat is wrong:\n\n${wrong.join('')}`;
}
