/** One series of a scrape, by its name and labels. */

interface SeriesName {
  readonly metric: string;
  /** Labels in the order of their names, escaped as they are written. */
  readonly labels: string;
}

const NAME = String.raw`([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?`;
const SERIES = new RegExp(`^${NAME}$`);
/** A line of the scrape: a series, its value, and maybe a time. */
const SAMPLE = new RegExp(`^${NAME} (\\S+)`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/**
 * A series' value in a scrape of the Prometheus text format; undefined where there is no such series.
 *
 * @param series `requests_total{status="error"}`: all of its labels, in any order; `_bucket`, `_sum` and `_count` for a
 * histogram. A text that is no such name throws `TypeError`.
 */
export function valueIn(scrape: string, series: string): number | undefined {
  const wanted = toName(SERIES.exec(series.trim()));
  if (wanted === undefined) throw new TypeError(`not a series: ${series} (write it as name{label="value"})`);
  for (const line of scrape.split('\n')) {
    if (!line.startsWith(wanted.metric)) continue;
    const sample = SAMPLE.exec(line);
    const found = toName(sample);
    if (found?.metric === wanted.metric && found.labels === wanted.labels) return toNumber(sample?.[3] ?? '');
  }
  return undefined;
}

function toName(match: RegExpExecArray | null): SeriesName | undefined {
  if (match === null) return undefined;
  const [, metric = '', inside = ''] = match;
  // What is neither a label nor stands between two is a mistake.
  if (/[^\s,]/.test(inside.replace(LABEL, ''))) return undefined;
  return { metric, labels: (inside.match(LABEL) ?? []).sort().join(',') };
}

function toNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
