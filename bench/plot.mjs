import { find, findValid, ratio, valuesOf } from './results.mjs';
import { median } from './statistics.mjs';

/**
 * The results as an SVG image for the README: bars of medians, with the least and the greatest of the rounds. It brings
 * its own dark ground, as every image of the docs does, so that it reads the same on a light page and on a dark one.
 *
 * @typedef {import('./rounds.mjs').Result} Result
 * @typedef {{ label: string, values: number[], own: boolean }} Bar
 * @typedef {{ title: string, bars: Bar[], digits: number, reference?: number }} Panel
 */

const WIDTH = 920;
const LEFT = 250;
const BARS = 540;
const BAR = 18;
const STEP = 28;
const HEAD = 62;
const PANEL_HEAD = 34;
const PANEL_GAP = 22;
const FOOT = 34;

const COLOURS = {
  ground: '#0d1420',
  text: '#e6edf7',
  faint: '#8fa3bf',
  own: '#2f6fed',
  other: '#4a5d7a',
  whisker: '#f2c14e',
};

/**
 * @param {readonly Result[]} results
 * @param {string} note below the bars: the machine, the rounds
 * @returns {string}
 */
export function toPlot(results, note) {
  const panels = panelsOf(results).filter(({ bars }) => bars.length > 0);
  let y = HEAD;
  const drawn = panels.map((panel) => {
    const text = drawPanel(panel, y);
    y += PANEL_HEAD + panel.bars.length * STEP + PANEL_GAP;
    return text;
  });
  const height = y + FOOT - PANEL_GAP;
  const told = panels.map(({ title, bars, digits }) => {
    const all = bars.map(({ label, values }) => `${label} ${median(values).toFixed(digits)}`);
    return `${title}: ${all.join(', ')}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" role="img" aria-label="${escapeXml(told.join('. '))}">
  <rect width="${WIDTH}" height="${height}" rx="10" fill="${COLOURS.ground}"/>
  <text x="30" y="38" fill="${COLOURS.text}" font-size="18" font-weight="600">What observing costs, every signal on and exported</text>
${drawn.join('\n')}
  <text x="30" y="${height - 16}" fill="${COLOURS.faint}" font-size="11">${escapeXml(note)}</text>
</svg>
`;
}

/**
 * @param {readonly Result[]} results
 * @returns {Panel[]}
 */
function panelsOf(results) {
  const bar = (/** @type {string} */ id, /** @type {string} */ label, /** @type {number[]} */ values) =>
    values.length === 0 ? [] : [{ label, values, own: id.includes('binnacle') }];
  const cpu = (/** @type {string} */ id, /** @type {string} */ label, bare = 'bare') =>
    bar(id, label, ratio(findValid(results, id), find(results, bare), 'cpuUs'));
  const rate = (/** @type {string} */ id, /** @type {string} */ label) =>
    bar(id, label, valuesOf(findValid(results, id), 'perSecond'));
  return [
    {
      title: 'CPU a request, to bare Fastify',
      digits: 2,
      reference: 1,
      bars: [
        ...cpu('binnacle', 'Binnacle'),
        ...cpu('binnacle-10', 'Binnacle, 10% sampled'),
        ...cpu('log', 'Fastify’s default log alone'),
        ...cpu('hand', 'hand-tuned assembly'),
        ...cpu('usual', 'usual stack, auto-instrumented'),
      ],
    },
    {
      title: 'Requests/s on one processor',
      digits: 0,
      bars: [
        ...rate('bare', 'bare Fastify'),
        ...rate('binnacle', 'Binnacle'),
        ...rate('log', 'Fastify’s default log alone'),
        ...rate('hand', 'hand-tuned assembly'),
        ...rate('usual', 'usual stack, auto-instrumented'),
        ...rate('python', 'FastAPI, the same signals'),
      ],
    },
    {
      title: 'CPU to the same without observing: a stream of 200 events, a session of fit-check',
      digits: 2,
      reference: 1,
      bars: [
        ...cpu('stream-binnacle', 'stream, Binnacle', 'stream-bare'),
        ...cpu('stream-usual', 'stream, usual stack', 'stream-bare'),
        ...cpu('fit-binnacle', 'session, Binnacle', 'fit-bare'),
      ],
    },
  ];
}

/**
 * @param {Panel} panel
 * @param {number} top
 */
function drawPanel({ title, bars, digits, reference }, top) {
  const greatest = Math.max(reference ?? 0, ...bars.flatMap(({ values }) => values));
  const x = (/** @type {number} */ value) => round(LEFT + (Math.max(0, value) / greatest) * BARS);
  const first = top + PANEL_HEAD;
  const line =
    reference === undefined
      ? ''
      : `\n  <line x1="${x(reference)}" y1="${first - 6}" x2="${x(reference)}" y2="${first + bars.length * STEP - 4}" stroke="${COLOURS.faint}" stroke-dasharray="3 4"/>`;
  const drawn = bars.map((bar, index) => drawBar(bar, first + index * STEP, x, digits));
  return `  <text x="30" y="${top + 18}" fill="${COLOURS.text}" font-size="14" font-weight="600">${escapeXml(title)}</text>
${drawn.join('\n')}${line}`;
}

/**
 * @param {Bar} bar
 * @param {number} y
 * @param {(value: number) => number} x
 * @param {number} digits
 */
function drawBar({ label, values, own }, y, x, digits) {
  const [least, middle, greatest] = [Math.min(...values), median(values), Math.max(...values)];
  const centre = y + BAR / 2;
  return `  <text x="${LEFT - 12}" y="${y + 14}" fill="${own ? COLOURS.text : COLOURS.faint}" font-size="12.5" text-anchor="end"${own ? ' font-weight="600"' : ''}>${escapeXml(label)}</text>
  <rect x="${LEFT}" y="${y}" width="${round(x(middle) - LEFT)}" height="${BAR}" rx="3" fill="${own ? COLOURS.own : COLOURS.other}"/>
  <line x1="${x(least)}" y1="${centre}" x2="${x(greatest)}" y2="${centre}" stroke="${COLOURS.whisker}" stroke-width="2"/>
  <text x="${round(x(greatest) + 10)}" y="${y + 14}" fill="${COLOURS.text}" font-size="12.5">${middle.toFixed(digits)}</text>`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}

/** @param {string} text */
function escapeXml(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
