import { median, spread } from './statistics.mjs';

/**
 * @typedef {import('./rounds.mjs').Result} Result
 * @typedef {import('./rounds.mjs').Slice} Slice
 */

const HEAD = [
  'variant',
  'CPU µs a request',
  'CPU to bare',
  'added µs',
  'requests/s',
  'requests/s to bare',
  'p50 ms',
  'p99 ms',
  'RSS MiB',
  'start ms',
  'delivered',
];

/**
 * The results as a Markdown table. Ratios are taken round by round to bare, and told as median (least to greatest).
 * @param {Result[]} results
 */
export function toTable(results) {
  const rows = results.map((result) => toRow(result, find(results, 'bare')));
  return toMarkdown([HEAD, ...rows]);
}

/** @param {readonly (readonly string[])[]} rows the first is the head */
export function toMarkdown([head = [], ...rows]) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * @param {Result} result
 * @param {Result | undefined} bare
 */
function toRow(result, bare) {
  const of = (/** @type {keyof Slice} */ key, digits = 0) => median(valuesOf(result, key)).toFixed(digits);
  const ratio = (/** @type {keyof Slice} */ key) => spread(pairUp(result, bare, (own, other) => own[key] / other[key]));
  const figures = [
    of('cpuUs', 1),
    ratio('cpuUs'),
    spread(
      pairUp(result, bare, (own, other) => own.cpuUs - other.cpuUs),
      1,
    ),
    of('perSecond'),
    ratio('perSecond'),
    of('p50Ms', 2),
    of('p99Ms', 2),
    of('rssMiB'),
    of('startMs'),
  ];
  const valid = result.problems.length === 0;
  return [result.variant.title, ...(valid ? figures : figures.map((figure) => `~~${figure}~~`)), toVerdict(result)];
}

/** @param {Result} result */
function toVerdict({ variant, problems }) {
  const counts = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  if (problems.length > 0) return `**invalid**: ${problems[0]?.split('\n')[0]}${counts}`;
  const promised = [
    ...(variant.spans ? ['1 span'] : []),
    ...(variant.histogram === undefined ? [] : ['1 observation']),
    ...(variant.lines === undefined ? [] : [variant.lines === 1 ? '1 line' : `${variant.lines} lines`]),
  ];
  return promised.length === 0 ? 'nothing promised' : promised.join(', ');
}

/**
 * How Binnacle stands to the others, round by round.
 * @param {Result[]} results
 */
export function toComparison(results) {
  const own = find(results, 'binnacle');
  const log = find(results, 'log');
  const usual = find(results, 'usual');
  const hand = find(results, 'hand');
  const bare = find(results, 'bare');
  const added = (/** @type {Result | undefined} */ result, /** @type {'cpuUs' | 'startMs' | 'rssMiB'} */ key) =>
    pairUp(result, bare, (one, other) => one[key] - other[key]);
  const over = (/** @type {number[]} */ ones, /** @type {number[]} */ others) =>
    ones.flatMap((one, at) => (others[at] === undefined ? [] : [one / others[at]]));
  const rows = [
    ["CPU to Fastify's default log", pairUp(own, log, (one, other) => one.cpuUs / other.cpuUs)],
    ['CPU to the hand-tuned assembly', pairUp(own, hand, (one, other) => one.cpuUs / other.cpuUs)],
    ["added CPU to the usual stack's", over(added(own, 'cpuUs'), added(usual, 'cpuUs'))],
    ['requests/s to the usual stack', pairUp(own, usual, (one, other) => one.perSecond / other.perSecond)],
    ["start-up over bare to the usual stack's", over(added(own, 'startMs'), added(usual, 'startMs'))],
    ['RSS over bare, MiB', added(own, 'rssMiB')],
  ];
  const trusted = [own, log, usual, hand].every((result) => result === undefined || result.problems.length === 0);
  const known = rows.filter(([, values]) => values?.length);
  if (known.length === 0) return '';
  const note = trusted ? '' : '\n\n**One of these variants is invalid: see the table above.**';
  return `${toMarkdown([['Binnacle', 'median (least to greatest)'], ...known.map(([name, values]) => [String(name), spread(/** @type {number[]} */ (values))])])}${note}`;
}

/** A server at full load takes at least this share of a processor that is its own. */
const NEARLY_BUSY = 0.9;

/**
 * How far the figures can be trusted.
 * @param {Result[]} results
 */
export function toNoise(results) {
  const again = pairUp(find(results, 'bare-again'), find(results, 'bare'), (one, other) => one.cpuUs / other.cpuUs);
  const rates = valuesOf(find(results, 'bare'), 'cpuUs');
  const server = results.flatMap((result) => valuesOf(result, 'serverBusy'));
  const bench = results.flatMap((result) => valuesOf(result, 'benchBusy'));
  const percent = (/** @type {number} */ share) => `${Math.round(share * 100)}%`;
  const crowded =
    Math.min(...server) >= NEARLY_BUSY
      ? []
      : [
          '**Other work took the processors meanwhile: CPU a request stands, requests/s, latency and start-up do not.**',
        ];
  return [
    `Noise: bare to bare ${spread(again)} of CPU; bare itself ${spread(rates, 1)} µs over the rounds.`,
    `The server's processor was busy with it ${percent(Math.min(...server))} to ${percent(Math.max(...server))} of a slice, load and sink took at most ${percent(Math.max(...bench))} of theirs.`,
    ...crowded,
  ].join(' ');
}

/**
 * @param {Result[]} results
 * @param {string} id
 */
function find(results, id) {
  return results.find(({ variant }) => variant.id === id);
}

/**
 * @param {Result | undefined} result
 * @param {keyof Slice} key
 */
function valuesOf(result, key) {
  return (result?.slices ?? []).flatMap((slice) => (slice === undefined ? [] : [slice[key]]));
}

/**
 * @param {Result | undefined} result
 * @param {Result | undefined} other
 * @param {(own: Slice, other: Slice) => number} compare within one round
 */
function pairUp(result, other, compare) {
  return (result?.slices ?? []).flatMap((own, round) => {
    const beside = other?.slices[round];
    return own === undefined || beside === undefined ? [] : [compare(own, beside)];
  });
}
