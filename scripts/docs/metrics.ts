/** docs/reference/metrics.md, of the catalogue. */
import { bucketSets, type Definition, definitions } from '../../packages/binnacle/src/catalogue.ts';
import { ownCatalogue } from '../../packages/binnacle/src/catalogue-own.ts';
import { type ProcessDefinition, processDefinitions } from '../../packages/binnacle/src/catalogue-process.ts';
import { code, codes, pageOf, tableOf } from './markdown.ts';

/** The namespace that stands for anybody's. */
const NAMESPACE = 'fit_check';

const WORKERS: Readonly<Record<NonNullable<Definition['workers']>, string>> = {
  sum: 'summed',
  max: 'the highest',
  min: 'the lowest',
  average: 'the average',
  first: "the first one's",
  each: 'one series each',
  process: 'one series a process',
  omit: 'of the whole',
};

export function metricsPage(): string {
  const rows = Object.entries(definitions);
  const service = rows.filter(([, { namespaced }]) => namespaced === true).map(([, row]) => row);
  const own = rows.filter(([key]) => key in ownCatalogue).map(([, row]) => row);
  const general = rows.filter(([key, { namespaced }]) => namespaced !== true && !(key in ownCatalogue));
  return pageOf(
    'Metrics',
    "Every metric of Binnacle's, from its catalogue. A label that does not apply is the empty string; past a metric's budget (1,000 label sets unless `maxSeries` says otherwise) new ones become `_other`. The last column says what a scrape over several [workers](../workers.md) makes of a gauge; counters and histograms are summed.",
    "## Of the service's work",
    `With the namespace of \`observe({ namespace })\` in front: \`${NAMESPACE}_\` for fit-check.`,
    metricTable(service),
    '## Of any service',
    metricTable(general.map(([, row]) => row)),
    '## Of Binnacle itself',
    metricTable(own),
    '## Of the process and Node.js',
    'Named as prom-client 15 names its default metrics. Those marked *legacy* are there with `NODEJS_LEGACY_METRICS=true` alone, since promtool rejects their names.',
    metricTable(Object.values(processDefinitions)),
    '## Buckets',
    'Upper bounds; `+Inf` follows each.',
    tableOf(
      ['set', 'bounds'],
      Object.entries(bucketSets).map(([name, bounds]) => [`<a id="buckets-${name}"></a>${name}`, codes(bounds)]),
    ).replaceAll('&lt;', '<'),
  );
}

function metricTable(rows: readonly ProcessDefinition[]): string {
  return tableOf(
    ['metric', 'kind', 'unit', 'labels', 'help', 'workers'],
    rows.map((row) => [
      row.namespaced === true ? `${code(row.name)}, ${code(`${NAMESPACE}_${row.name}`)}` : code(row.name),
      kindOf(row),
      code(row.unit),
      codes(row.labels),
      row.legacy === true ? `${row.help} *Legacy.*` : row.help,
      row.kind === 'gauge' ? WORKERS[row.workers ?? 'sum'] : 'summed',
    ]),
  );
}

function kindOf({ kind, buckets }: Definition): string {
  return buckets === undefined ? kind : `${kind} ([${buckets}](#buckets-${buckets}))`;
}
