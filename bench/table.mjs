import { added, find, ratio, valuesOf } from './results.mjs';
import { median, ratios, spread } from './statistics.mjs';
import { EVENTS } from './variants/serve.mjs';
import { bareOf } from './variants.mjs';

/**
 * Results as Markdown tables. Ratios are taken round by round, and told as median (least to greatest).
 *
 * @typedef {import('./rounds.mjs').Result} Result
 * @typedef {import('./slice.mjs').Slice} Slice
 */

/** @param {readonly (readonly string[])[]} rows the first is the head */
export function toMarkdown([head = [], ...rows]) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const REQUEST_HEAD = [
  'variant',
  'CPU µs a request',
  'CPU to bare',
  'added µs',
  'at the fixed rate: CPU µs',
  'to bare',
  'p99 ms',
  'at full load: requests/s',
  'to bare',
  'p50 ms',
  'p99 ms',
  'RSS MiB',
  'delivered',
];

/** @param {Result[]} results */
export function toRequestTable(results) {
  const rows = results.map((result) => {
    const { of, to, over } = figuresOf(results, result);
    return toRow(result, [
      of('cpuUs', 1),
      to('cpuUs'),
      over('cpuUs', 1),
      of('pacedCpuUs', 1),
      to('pacedCpuUs'),
      of('pacedP99Ms', 2),
      of('perSecond'),
      to('perSecond'),
      of('p50Ms', 2),
      of('p99Ms', 2),
      of('rssMiB'),
    ]);
  });
  return toMarkdown([REQUEST_HEAD, ...rows]);
}

/** @param {Result[]} results */
export function toStreamTable(results) {
  const head = [
    'variant',
    'CPU µs a stream',
    'CPU to bare',
    'added ns an event',
    'streams/s',
    'p99 ms',
    'RSS MiB',
    'delivered',
  ];
  const rows = results.map((result) => {
    const { of, to, bare } = figuresOf(results, result);
    const perEvent = added(result, bare, 'cpuUs').map((us) => (us * 1000) / EVENTS);
    return toRow(result, [
      of('cpuUs'),
      to('cpuUs', 3),
      spread(perEvent, 0),
      of('perSecond'),
      of('p99Ms', 1),
      of('rssMiB'),
    ]);
  });
  return toMarkdown([head, ...rows]);
}

/** @param {Result[]} results */
export function toSessionTable(results) {
  const head = [
    'variant',
    'CPU ms a session',
    'CPU to the stand-in',
    'added ms',
    'sessions/s',
    'p50 ms',
    'RSS MiB',
    'start ms',
    'delivered',
  ];
  const rows = results.map((result) => {
    const { of, to, bare } = figuresOf(results, result);
    const ms = valuesOf(result, 'cpuUs').map((us) => us / 1000);
    const addedMs = added(result, bare, 'cpuUs').map((us) => us / 1000);
    return toRow(result, [
      median(ms).toFixed(2),
      to('cpuUs'),
      spread(addedMs),
      of('perSecond'),
      of('p50Ms'),
      of('rssMiB'),
      of('startMs'),
    ]);
  });
  return toMarkdown([head, ...rows]);
}

/**
 * @param {Result[]} results
 * @param {Result} result
 */
function figuresOf(results, result) {
  const bare = find(results, bareOf(result.variant).id);
  const of = (/** @type {keyof Slice} */ key, digits = 0) => {
    const values = valuesOf(result, key);
    return values.length === 0 ? '–' : median(values).toFixed(digits);
  };
  const orNone = (/** @type {number[]} */ values, /** @type {number} */ digits) =>
    values.length === 0 ? '–' : spread(values, digits);
  return {
    bare,
    of,
    to: (/** @type {keyof Slice} */ key, digits = 2) => orNone(ratio(result, bare, key), digits),
    over: (/** @type {keyof Slice} */ key, digits = 2) => orNone(added(result, bare, key), digits),
  };
}

/**
 * @param {Result} result
 * @param {string[]} figures
 */
function toRow(result, figures) {
  const valid = result.problems.length === 0;
  return [result.variant.title, ...(valid ? figures : figures.map((figure) => `~~${figure}~~`)), toVerdict(result)];
}

/** @param {Result} result */
function toVerdict({ variant, problems }) {
  const counts = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  if (problems.length > 0) return `**invalid**: ${problems[0]?.split('\n')[0]}${counts}`;
  const { spans = 0, histogram, lines, events, lost } = variant;
  const promised = [
    ...(spans === 1 ? ['1 span'] : []),
    ...(spans > 0 && spans < 1 ? [`${spans} spans`] : []),
    ...(lost ? ['1 span lost, and counted so'] : []),
    ...(histogram === undefined ? [] : ['1 observation']),
    ...(events ? [`${EVENTS} events`] : []),
    ...(lines === undefined ? [] : [lines === 1 ? '1 line' : `${lines} lines`]),
  ];
  return promised.length === 0 ? 'nothing promised' : promised.join(', ');
}

/** @param {readonly import('./starts.mjs').Starts[]} starts */
export function toStartTable(starts) {
  const bare = starts.find(({ variant }) => variant.id === 'bare');
  const rows = starts.map(({ variant, wallMs, cpuMs }) => [
    variant.title,
    spread(wallMs, 0),
    spread(
      wallMs.map((ms, round) => ms - (bare?.wallMs[round] ?? Number.NaN)),
      0,
    ),
    spread(cpuMs, 0),
  ]);
  return toMarkdown([['variant', 'ms to listening', 'over bare', 'of it CPU ms'], ...rows]);
}

/** @param {readonly import('./operations.mjs').Operation[]} operations */
export function toOperationTable(operations) {
  const rows = operations.map(({ title, unit, own, other }) => {
    const digits = unit === 'ns' ? 0 : 1;
    const show = (/** @type {number[]} */ values) => `${median(values).toFixed(digits)} ${unit}`;
    return [title, show(own), show(other), spread(ratios(own, other), 3)];
  });
  return toMarkdown([['operation', 'Binnacle', 'prom-client, pino', 'ratio'], ...rows]);
}
