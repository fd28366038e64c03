/** The first page's figures: the headline rows of bench/results.md and bench/size.md, word for word as they were measured. */

export interface Reports {
  /** bench/results.md, as `npm run bench` writes it. */
  readonly results: string;
  /** bench/size.md, as `npm run size` writes it. */
  readonly size: string;
}

/** Variants of a request that the first page has, by how their titles begin. */
const VARIANTS: readonly (readonly [begins: string, name: string])[] = [
  ['bare Fastify', 'bare Fastify'],
  ['**Binnacle**', '**Binnacle**, every signal on, every span sent'],
  ['Binnacle, 10% of traces sampled', 'Binnacle, 10% of traces sampled'],
  ['Binnacle, its collector unreachable', 'Binnacle, its collector unreachable'],
  ["+ Fastify's default log", "Fastify's default log alone"],
  ['hand-tuned', 'a hand-tuned assembly: one histogram, one line, one SDK span'],
  ['usual stack', 'the usual stack: that log, fastify-metrics, auto-instrumentations'],
  ['Python', "the guide's Python stack: FastAPI, structlog, OpenTelemetry"],
];
/** Columns of that table, by their place: `to bare` stands there more than once. */
const COLUMNS = { cpu: 2, perSecond: 8, rss: 11 } as const;

/** Rows of what was promised that are no repetition of a variant's. */
const PROMISED: readonly (readonly [begins: string, name: string])[] = [
  ['added CPU', 'CPU added to bare, to what the usual stack adds'],
  ['requests/s to the usual', 'requests/s, to the usual stack'],
  ["requests/s to the seeds' own", "requests/s, to the guide's Python stack"],
  ['streaming', 'a stream of 200 events: CPU, to bare'],
  ['scrape of 50,000', 'a scrape of 50,000 series: the longest hold of the event loop'],
  ['its total CPU', "the same: CPU, to prom-client's"],
  ['RSS over bare', 'memory under load, over bare'],
  ['start-up', "start-up over bare, to the usual stack's"],
];

/** Rows of cells of the table below a heading; none where there is no such heading. */
export function tableUnder(page: string, heading: string): string[][] {
  const after = page.split(`\n${heading}\n`)[1]?.split(/\n## /)[0] ?? '';
  const rows = after.split('\n').filter((line) => line.startsWith('|'));
  // The head and the line below it.
  return rows.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

/** The first row whose first cell begins so. Throws where there is none: then a report has changed, and this has to. */
function rowOf(rows: readonly string[][], begins: string): string[] {
  const row = rows.find(([first = '']) => first.startsWith(begins));
  if (row === undefined) throw new Error(`bench/results.md has no row "${begins}"`);
  return row;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** What the first page says of figures. Of a report that does not tell what was promised there are none. */
export function figuresOf({ results, size }: Reports): string {
  const promised = tableUnder(results, '## What was promised');
  if (promised.length === 0) return 'What it costs: [bench/results.md](bench/results.md), by `npm run bench`.';
  const requests = tableUnder(results, '## A request').filter(([title = '']) => !title.includes('(again)'));
  const variants = VARIANTS.filter(
    ([begins]) => begins !== 'Python' || requests.some(([one]) => one?.startsWith(begins)),
  );
  const figures = variants.map(([begins, name]) => {
    const row = rowOf(requests, begins);
    return [name, ...Object.values(COLUMNS).map((column) => row[column] ?? '')];
  });
  const told = PROMISED.map(([begins, name]) => [name, rowOf(promised, begins)[3] ?? '']).filter(
    ([, measured]) => measured !== 'not measured',
  );
  return [
    '![CPU a request to bare Fastify, requests a second, and CPU of streams and sessions](bench/results.svg)',
    table(['a request', 'CPU, to bare', 'requests/s, to bare', 'RSS MiB'], figures),
    table(['', 'median (least to greatest)'], [...told, ['an install beside Fastify', installOf(size)]]),
    `${commandOf(results)} ${machineOf(results)}${caveatOf(results)} All of it, with how it is measured and what was promised: [bench/results.md](bench/results.md); the same by Node.js 24: [bench/results-node24.md](bench/results-node24.md).`,
  ].join('\n\n');
}

/** Packages and MiB, of Binnacle and of the usual stack. */
function installOf(size: string): string {
  const rows = size.split('\n').flatMap((line) => (line.startsWith('| ') ? [line.slice(2).split(' | ')] : []));
  const [, packages, mib] = rowOf(rows, '**Binnacle**');
  const [, theirs, theirMib] = rowOf(rows, 'the usual stack');
  return `${packages} packages, ${mib} MiB; the usual stack ${theirs}, ${theirMib} MiB`;
}

/** The command, and when it was run. */
function commandOf(results: string): string {
  const line = /^`(node bench\/run\.mjs[^`]*)`, (\d{4}-\d\d-\d\d)/m.exec(results);
  if (line === null) throw new Error('bench/results.md does not say how it was made');
  const [, command = '', day = ''] = line;
  return `\`${command === 'node bench/run.mjs' ? 'npm run bench' : command}\`, ${day}; ratios are taken round by round within that run.`;
}

function machineOf(results: string): string {
  const line = /^- (Machine: .*)$/m.exec(results)?.[1];
  if (line === undefined) throw new Error('bench/results.md does not say on which machine it was made');
  return line;
}

/** What the report itself says of its figures. */
function caveatOf(results: string): string {
  const caveat = /\*\*Other work took the processors meanwhile: [^*]*do not\.\*\*/.exec(results)?.[0];
  return caveat === undefined ? '' : ` ${caveat}`;
}
