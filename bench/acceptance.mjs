import { toNumber } from './budget.mjs';
import { noiseOf } from './noise.mjs';
import { added, addedRatio, find, findValid, ratio } from './results.mjs';
import { median, pairUp, ratios, spread } from './statistics.mjs';
import { toMarkdown } from './table.mjs';

/**
 * What was promised, beside what a run measured.
 *
 * @typedef {import('./results.mjs').Run} Run
 * @typedef {import('./budget.mjs').Bound} Bound
 * @typedef {object} Row
 * @property {string} [bound] its name in `budget.json`
 * @property {string} what
 * @property {(run: Run) => number[]} values round by round; none where it was not measured, or is worth nothing
 * @property {(run: Run) => Also} [also] what has to hold besides the bound, or in its place
 * @property {(run: Run) => number[]} [goalValues] where the goal is one of another figure
 * @property {boolean} [atLeast] the bounds are the least, not the most
 * @property {number} [digits]
 * @property {string} [unit]
 * @typedef {{ must: string, holds: boolean, measured?: string, untold?: boolean }} Also `untold` where the run was too noisy
 */

const MB_PER_MIB = 1.048576;
/** Where bare lies further from bare, "beyond the noise" says nothing. */
const MOST_NOISE = 0.1;

/** @type {readonly Row[]} */
const ROWS = [
  {
    bound: 'cpu',
    what: 'CPU a request, all signals, 100% exported, to bare',
    values: ({ results }) => ratio(findValid(results, 'binnacle'), find(results, 'bare'), 'cpuUs'),
    also: ({ results }) => {
      const toLog = ratio(findValid(results, 'binnacle'), findValid(results, 'log'), 'cpuUs');
      const measured = `${spread(toLog)} to Fastify's default log`;
      return { must: "and below Fastify's default log", holds: median(toLog) < 1, measured };
    },
  },
  {
    bound: 'added',
    what: "added CPU to the usual stack's added CPU",
    values: ({ results }) =>
      addedRatio(findValid(results, 'binnacle'), findValid(results, 'usual'), find(results, 'bare'), 'cpuUs'),
    digits: 3,
  },
  {
    bound: 'sampled',
    what: 'the same at 10% sampling, keeping off, to 100% (goal: to bare)',
    values: ({ results }) => ratio(findValid(results, 'binnacle-10'), findValid(results, 'binnacle'), 'cpuUs'),
    also: (run) => notAbove(run, 'binnacle-10', 'no more than at 100%'),
    goalValues: ({ results }) => ratio(findValid(results, 'binnacle-10'), find(results, 'bare'), 'cpuUs'),
  },
  {
    bound: 'perSecond',
    what: 'requests/s to the usual stack',
    values: ({ results }) => ratio(findValid(results, 'binnacle'), findValid(results, 'usual'), 'perSecond'),
    atLeast: true,
  },
  {
    bound: 'python',
    what: "requests/s to the seeds' own Python stack, same endpoint",
    values: ({ results }) => ratio(findValid(results, 'binnacle'), findValid(results, 'python'), 'perSecond'),
    atLeast: true,
    digits: 1,
  },
  {
    bound: 'stream',
    what: 'streaming, 200 events, CPU to bare',
    values: ({ results }) => ratio(findValid(results, 'stream-binnacle'), find(results, 'stream-bare'), 'cpuUs'),
    digits: 3,
  },
  {
    bound: 'counter',
    what: "bound counter to prom-client's bound child",
    values: ofOperation('counter-bound'),
    digits: 3,
  },
  {
    bound: 'histogram',
    what: "bound histogram to prom-client's bound child",
    values: ofOperation('histogram-bound'),
    digits: 3,
  },
  {
    bound: 'scrapeHoldMs',
    what: 'scrape of 50,000 series: longest hold of the event loop',
    values: ({ operations }) => operations.find(({ id }) => id === 'scrape-50000-hold')?.own ?? [],
    unit: 'ms',
  },
  { bound: 'scrapeCpu', what: "its total CPU to prom-client's", values: ofOperation('scrape-50000-cpu') },
  {
    bound: 'rssMb',
    what: 'RSS over bare under load',
    values: ({ results }) =>
      added(findValid(results, 'binnacle'), find(results, 'bare'), 'rssMiB').map((mib) => mib * MB_PER_MIB),
    digits: 1,
    unit: 'MB',
  },
  { bound: 'start', what: "start-up over bare to the usual stack's", values: startRatios, digits: 3 },
  {
    what: 'unreachable collector, CPU to a reachable one',
    values: ({ results }) => ratio(findValid(results, 'binnacle-lost'), findValid(results, 'binnacle'), 'cpuUs'),
    also: (run) => notAbove(run, 'binnacle-lost', 'no difference beyond noise'),
  },
];

/**
 * @param {string} id
 * @returns {(run: Run) => number[]}
 */
function ofOperation(id) {
  return ({ operations }) => {
    const operation = operations.find((one) => one.id === id);
    return operation === undefined ? [] : ratios(operation.own, operation.other);
  };
}

/** @param {Run} run */
function startRatios({ starts }) {
  const of = (/** @type {string} */ id) => starts.find(({ variant }) => variant.id === id)?.wallMs ?? [];
  const over = (/** @type {string} */ id) => pairUp(of(id), of('bare'), (one, bare) => one - bare);
  return ratios(over('binnacle'), over('usual'));
}

/**
 * That a variant costs no more than Binnacle with everything on, by the median, beyond what bare differs from bare.
 * @param {Run} run
 * @param {string} id
 * @param {string} must
 * @returns {Also}
 */
function notAbove({ results }, id, must) {
  const noise = noiseOf(results);
  const times = median(ratio(findValid(results, id), findValid(results, 'binnacle'), 'cpuUs'));
  const measured = `noise ${(100 * noise).toFixed(1)}%`;
  return { must, holds: times <= 1 + noise, measured, untold: noise > MOST_NOISE };
}

/**
 * @param {Run} run
 * @param {Record<string, Bound>} bounds
 * @returns {{ what: string, must: string, goal: string, measured: string, verdict: string }[]}
 */
export function judgeRun(run, bounds) {
  return ROWS.map((row) => {
    const { must, goal } = row.bound === undefined ? {} : (bounds[row.bound] ?? {});
    const values = row.values(run);
    const also = row.also?.(run);
    const goalValues = row.goalValues?.(run);
    const show = (/** @type {string | undefined} */ bound) =>
      bound === undefined ? '' : `${row.atLeast ? '≥' : '≤'} ${bound}${row.unit === undefined ? '' : ` ${row.unit}`}`;
    const measured = [
      spread(values, row.digits) + (row.unit === undefined ? '' : ` ${row.unit}`),
      ...(goalValues === undefined ? [] : [`${spread(goalValues, row.digits)} to bare`]),
      ...(also?.measured === undefined ? [] : [also.measured]),
    ];
    const holds = isWithin(values, must, row.atLeast) && (also?.holds ?? true);
    const reached = goal !== undefined && isWithin(goalValues ?? values, goal, row.atLeast);
    return {
      what: row.what,
      must: [show(must), also?.must ?? ''].filter((text) => text !== '').join(', '),
      goal: show(goal),
      measured: values.length === 0 ? 'not measured' : measured.join('; '),
      verdict: also?.untold && values.length > 0 ? '**too noisy to tell**' : toVerdict(values, holds, reached),
    };
  });
}

/**
 * @param {number[]} values
 * @param {string | undefined} bound
 * @param {boolean} [atLeast]
 */
function isWithin(values, bound, atLeast = false) {
  if (bound === undefined) return true;
  return atLeast ? median(values) >= toNumber(bound) : median(values) <= toNumber(bound);
}

/**
 * @param {number[]} values
 * @param {boolean} holds
 * @param {boolean} reached
 */
function toVerdict(values, holds, reached) {
  if (values.length === 0) return '–';
  if (!holds) return '**not met**';
  return reached ? 'met, the goal too' : 'met';
}

/**
 * @param {Run} run
 * @param {Record<string, Bound>} bounds
 */
export function toAcceptance(run, bounds) {
  const rows = judgeRun(run, bounds).map(({ what, must, goal, measured, verdict }) => [
    what,
    must,
    goal,
    measured,
    verdict,
  ]);
  return toMarkdown([['what', 'must', 'goal', 'measured', 'verdict'], ...rows]);
}
