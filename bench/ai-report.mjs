import { readFileSync } from 'node:fs';
import process from 'node:process';
import { baseOf, CASES, CHUNKS, CPU_RATIO, canTell, leastToLeast, noiseOf, ratios, wrongOver } from './ai-verdict.mjs';
import { median, spread } from './statistics.mjs';
import { toMarkdown } from './table.mjs';

/** @typedef {import('./ai-verdict.mjs').Result} Result */

const HEAD = [
  'stream',
  'variant',
  'CPU µs a chunk',
  'CPU to bare',
  'least to least',
  'added µs a chunk',
  'bytes a chunk',
  'bytes to bare',
];

/**
 * @param {Result[]} results
 * @param {{ rounds: number, streams: number, warmUp: number, machine: string }} run
 */
export function toReport(results, { rounds, streams, warmUp, machine }) {
  const command = ['node bench/ai-stream.mjs', ...process.argv.slice(2)].join(' ');
  return `# What observing a streamed answer costs

\`${command}\`, ${new Date().toISOString().slice(0, 10)}

${toMarkdown([HEAD, ...results.map((result) => toRow(results, result))])}

${CASES.map((one) => toVerdict(results, one)).join('\n')}

- Machine: ${machine.replace('server on', 'the process under test on').replace('load and sink', 'the endpoint')}.
- Streams of ${CHUNKS} chunks of about one token over real sockets, 32 at a time; chunk by chunk: each stream's next one every 2 ms, as they come from a provider; all at once: in one write, so that nothing but the SDK's own parsing stands beside what observing adds. The process reads chunks and does nothing with them.
- ${rounds} ${rounds === 1 ? 'round' : 'rounds, every other one backwards'}; ${streams} streams counted after ${warmUp} to warm up; each line of each round in a process of its own. Bare: nothing of Binnacle is loaded; in an \`AsyncLocalStorage\`: each stream is read within one, as in any service that has context. \`observe()\` beside it: all else is observed (from Node.js 20's \`AsyncLocalStorage\` on, which every promise pays), the SDK is not; that of Anthropic then makes spans by itself, and passes each chunk through them, as it does under any OpenTelemetry. Every signal is on, spans go to a collector that is well.
- CPU is user and system time of all threads, to the bare run of the same round; median (least to greatest). Bytes are what the JavaScript heap grew by between collections, by V8's accounts of them; chunk by chunk they go by how many chunks a read finds. In a session: \`obs.session\` around each stream, with its lines.
- Versions: ${['openai', '@anthropic-ai/sdk'].map(describePackage).join(', ')}.
- Asserted: every chunk came, and where it is observed each call and each gap between two chunks was counted; chunk by chunk, CPU of observed streams at most ${CPU_RATIO} times that of bare ones (of those in an \`AsyncLocalStorage\` where that alone takes more) beyond the noise (by the median, or by the least of all rounds to the least of the bare ones: other work only adds).
${toProblems(results)}`;
}

/** @param {string} name */
function describePackage(name) {
  const { version } = JSON.parse(
    readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  );
  return `${name} ${version}`;
}

/**
 * @param {Result[]} results
 * @param {Result} result
 */
function toRow(results, result) {
  const slices = result.slices.flatMap((slice) => slice ?? []);
  const bare = results.find(({ case: { id }, variant }) => id === result.case.id && variant.id === 'bare');
  const added = result.slices.flatMap((slice, round) => {
    const beside = bare?.slices[round];
    return slice === undefined || beside === undefined ? [] : [slice.cpuUs - beside.cpuUs];
  });
  const isBare = result.variant.id === 'bare';
  return [
    result.case.title,
    result.problems.length === 0 ? result.variant.title : `${result.variant.title} **(invalid)**`,
    median(slices.map(({ cpuUs }) => cpuUs)).toFixed(2),
    isBare ? '1' : spread(ratios(results, result, 'cpuUs'), 3),
    isBare ? '1' : leastToLeast(results, result).toFixed(3),
    isBare ? '0' : spread(added),
    median(slices.map(({ bytes }) => bytes)).toFixed(0),
    isBare ? '1' : spread(ratios(results, result, 'bytes'), 3),
  ];
}

/**
 * @param {Result[]} results
 * @param {import('./ai-verdict.mjs').Case} one
 */
function toVerdict(results, one) {
  const noise = `two bare runs lie ${(100 * noiseOf(results, one)).toFixed(1)}% apart (median)`;
  if (!one.judged) return `- ${one.title}: ${noise}; not judged, the most that it can be.`;
  if (!canTell(results, one)) {
    return `- ${one.title}: ${noise}, **which is more than is judged: CPU cannot tell here.** Observing allocates ${addedBytes(results, one)} bytes a chunk.`;
  }
  const over = wrongOver(results).some((problem) => problem.startsWith(`${one.title}:`));
  const verdict = over ? '**does not hold**' : 'holds, or is not exceeded beyond the noise';
  const observed = results.find(({ case: { id }, variant }) => id === one.id && variant.id === 'observed');
  if (observed === undefined || baseOf(results, one) === 'bare')
    return `- ${one.title}: ${noise}; at most ${CPU_RATIO} of bare ${verdict}.`;
  const times = spread(ratios(results, observed, 'cpuUs', 'bare-context'), 3);
  return `- ${one.title}: ${noise}; **at most ${CPU_RATIO} of bare cannot hold on this Node.js**, as its \`AsyncLocalStorage\` by itself takes more; observed to bare in one: ${times}, at most ${CPU_RATIO} ${verdict}.`;
}

/**
 * Of the same SDK's stream that comes all at once, whose bytes are the same in every run: chunk by chunk, those of the
 * reads go by how many chunks each one finds.
 * @param {Result[]} results
 * @param {import('./ai-verdict.mjs').Case} one
 */
function addedBytes(results, { sdk }) {
  const bytes = ['bare', 'observed'].map((id) =>
    median(
      results
        .filter(({ case: each, variant }) => each.sdk === sdk && each.pace === 'once' && variant.id === id)
        .flatMap(({ slices }) => slices.flatMap((slice) => slice?.bytes ?? [])),
    ),
  );
  return ((bytes[1] ?? Number.NaN) - (bytes[0] ?? Number.NaN)).toFixed(0);
}

/** @param {Result[]} results */
function toProblems(results) {
  const wrong = [...results.flatMap(({ problems }) => problems), ...wrongOver(results)];
  return wrong.length === 0 ? '' : `\nWhat is wrong:\n\n${wrong.map((problem) => `- ${problem}\n`).join('')}`;
}
