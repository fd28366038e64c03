import { toMarkdown } from './table.mjs';

/**
 * What a soak of the console measured, as Markdown.
 *
 * @typedef {{ cpuUs: number, p50Ms: number, p99Ms: number, rssMiB: number, perSecond: number }} Work of the service, a request
 * @typedef {{ name: string, atSeconds: number } & import('./soak-page.mjs').Sample} Mark
 * @typedef {{ minutes: number, perSecond: number, machine: string, off: Work[], on: Work, marks: Mark[], troubles: string[] }} Soak
 */

/** How much more the page may hold at the end than when its rings were full: its metrics go on to an hour. */
export const MOST_GROWTH = 1.25;

/** Requests after which the page's rings are full: of its 50,000 log lines each writes seven, of its 20,000 spans four. */
const FILLING = 8000;

/** @param {Soak} soak */
function markOf({ marks }, /** @type {string} */ name) {
  return marks.find((mark) => mark.name === name);
}

/**
 * Of a run that is too short the page's rings go on filling: it says nothing of what it holds in the end.
 * @param {Soak} soak
 */
function isTold(soak) {
  return (markOf(soak, 'full')?.atSeconds ?? 0) * soak.on.perSecond >= FILLING;
}

/** @param {Soak} soak */
export function growthOf(soak) {
  return (markOf(soak, 'end')?.heapMiB ?? Number.NaN) / (markOf(soak, 'full')?.heapMiB ?? Number.NaN);
}

/** @param {Soak} soak */
export function isWithinBounds(soak) {
  return (growthOf(soak) <= MOST_GROWTH || !isTold(soak)) && soak.troubles.length === 0;
}

/** @param {Soak} soak */
export function toSoakReport(soak) {
  const { minutes, perSecond, machine, marks, troubles } = soak;
  const growth = growthOf(soak);
  const held = growth <= MOST_GROWTH ? 'met' : '**not met**';
  const verdict = isTold(soak) ? held : '**too short to tell**: the rings were not full yet';
  return `# The console, open for ${minutes} minutes

\`npm run soak:console\`: a service that works as fit-check does (a session, two phases, an AI call: four spans and seven lines a request), under ${perSecond} requests a second, with its console open in a Chromium. ${machine}.

## The page

${pageTable(marks)}

Heap after a collection of garbage; "full" is when the page's rings of spans and log lines have been full for long. From there to the end it grew to **${growth.toFixed(2)}** times (bound: ${MOST_GROWTH}, for the hour of metrics that goes on to fill): ${verdict}. ${troubles.length === 0 ? 'No error in the page.' : `**Errors in the page:** ${troubles.join('; ')}`}

## Frames

${frameTable(marks)}

At 60 a second a frame has 16.7 ms. The browser has no graphics card here, and shares its processor with the load.

## The service

${serviceTable(soak)}
`;
}

/** @param {Mark[]} marks */
function pageTable(marks) {
  const rows = marks.map(({ name, atSeconds, heapMiB, nodes }) => [
    name,
    `${Math.round(atSeconds)} s`,
    heapMiB.toFixed(1),
    String(nodes),
  ]);
  return toMarkdown([['sample', 'after', 'JS heap MiB', 'DOM nodes'], ...rows]);
}

/** @param {Mark[]} marks */
function frameTable(marks) {
  const rows = marks.flatMap(({ name, views }) =>
    views.map(({ view, p50Ms, p95Ms, p99Ms, longestMs, dropped }) => [
      name,
      view,
      ...[p50Ms, p95Ms, p99Ms, longestMs].map((ms) => ms.toFixed(1)),
      `${(100 * dropped).toFixed(1)}%`,
    ]),
  );
  return toMarkdown([['sample', 'view', 'p50 ms', 'p95 ms', 'p99 ms', 'longest ms', 'frames dropped'], ...rows]);
}

/** @param {Soak} soak */
function serviceTable({ off, on }) {
  const cpu = off.reduce((sum, { cpuUs }) => sum + cpuUs, 0) / off.length;
  const row = (/** @type {string} */ what, /** @type {Work} */ { cpuUs, p50Ms, p99Ms, rssMiB, perSecond }) => [
    what,
    perSecond.toFixed(0),
    cpuUs.toFixed(1),
    (cpuUs / cpu).toFixed(2),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    rssMiB.toFixed(0),
  ];
  const rows = [
    ...off.map((work, index) => row(`console off, ${index === 0 ? 'before' : 'after'}`, work)),
    row('console on, the page open', on),
  ];
  return toMarkdown([['service', 'requests/s', 'CPU µs a request', 'to off', 'p50 ms', 'p99 ms', 'RSS MiB'], ...rows]);
}
