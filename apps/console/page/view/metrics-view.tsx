/** All metrics, and one of them as a plot. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { compile, type Lens, parseFilter } from '../model/filter.ts';
import { count, many, unitOf } from '../model/format.ts';
import type { Metrics } from '../model/metrics.ts';
import { line } from '../model/text.ts';
import type { MetricFamily } from '../model/wire.ts';
import { useApp, useVersion } from './context.ts';
import { type Column, List } from './list.tsx';
import { MetricPlot } from './metric-plot.tsx';
import { Empty, HowToSend, NoMatch } from './notice.tsx';
import { Line } from './text.tsx';
import { Toolbar } from './toolbar.tsx';

interface MetricRow {
  readonly family: MetricFamily;
  readonly series: number;
  readonly now: number | undefined;
}

const lens: Lens<MetricRow> = {
  contains: ({ family: { name, help } }, word) =>
    name.toLowerCase().includes(word) || help.toLowerCase().includes(word),
  field: ({ family, series }, key) => {
    if (key === 'type') return family.type;
    if (key === 'series') return series;
    return key === 'name' ? family.name : undefined;
  },
};

export function MetricsView(): JSX.Element {
  const { console, place, change } = useApp();
  const { q = '', metric } = place.at;
  const version = useVersion(({ metrics }) => metrics.version);
  const all = useMemo(() => rowsOf(console.metrics), [version]);
  const shown = useMemo(() => all.filter(compile(parseFilter(q), lens)), [all, q]);
  const chosen = console.metrics.families.get(metric ?? defaultOf(all) ?? '');
  return (
    <div class="view">
      <Toolbar
        search={{ label: 'Search metrics', placeholder: 'Search, or type:histogram' }}
        figure={
          q === ''
            ? `${many(all.length, 'metric')} · ${count(console.metrics.seriesCount)} series`
            : `${count(shown.length)} of ${many(all.length, 'metric')}`
        }
      />
      {all.length === 0 ? (
        <Empty icon="metrics" title="No metrics yet">
          <p>They come within a few seconds of the first moment that the console is open.</p>
          <HowToSend />
        </Empty>
      ) : (
        <div class="metrics">
          <List
            label="Metrics"
            layout="metrics"
            columns={COLUMNS}
            items={shown}
            keyOf={({ family }) => family.name}
            rowHeight={34}
            selected={chosen?.name}
            onOpen={({ family }) =>
              change({ metric: family.name, reading: undefined, by: undefined, where: undefined }, 'step')
            }
            empty={<NoMatch what="metric" />}
          />
          {chosen === undefined ? (
            <Empty icon="metrics" title={metric === undefined ? 'Choose a metric' : 'There is no such metric here'}>
              {metric !== undefined && (
                <p>
                  <code>
                    <Line text={metric} limit={120} />
                  </code>{' '}
                  has not been told of by this start.
                </p>
              )}
            </Empty>
          ) : (
            <MetricPlot key={chosen.name} family={chosen} />
          )}
        </div>
      )}
    </div>
  );
}

/** What is told of a service's work stands before what is told of its process. */
const ORDER = [
  /^http_server_/,
  /^gen_ai_|^ai_/,
  /^db_client_/,
  /^(?!process_|nodejs_|system_|binnacle_|target_)/,
  /^system_/,
  /^nodejs_/,
];

function rankOf(name: string): number {
  const at = ORDER.findIndex((pattern) => pattern.test(name));
  return at < 0 ? ORDER.length : at;
}

function rowsOf(metrics: Metrics): MetricRow[] {
  return [...metrics.families.values()]
    .map((family) => ({ family, series: metrics.of(family.name).length, now: metrics.now(family.name) }))
    .sort(
      (one, other) =>
        rankOf(one.family.name) - rankOf(other.family.name) || (one.family.name < other.family.name ? -1 : 1),
    );
}

function defaultOf(rows: readonly MetricRow[]): string | undefined {
  const wanted = rows.find(
    ({ family, series }) => family.name === 'http_server_request_duration_seconds' && series > 0,
  );
  return (wanted ?? rows.find(({ series }) => series > 0) ?? rows[0])?.family.name;
}

const COLUMNS: readonly Column<MetricRow>[] = [
  { key: 'name', name: 'Metric', render: ({ family }) => <MetricName name={family.name} /> },
  { key: 'type', name: 'Type', render: ({ family }) => <span class="muted">{family.type}</span> },
  {
    key: 'now',
    name: 'Now',
    render: ({ family, now, series }) => <span class="number">{series === 0 ? '–' : nowOf(family, now)}</span>,
  },
];

const TAIL = 22;

/** Names begin alike and differ at their end: where there is no room it is the middle that goes. */
function MetricName({ name }: { readonly name: string }): JSX.Element {
  const cut = name.length > TAIL + 8 ? name.indexOf('_', name.length - TAIL) : -1;
  const at = cut < 0 ? name.length : cut;
  return (
    <span class="metric-name" title={line(name, 200)}>
      <Line text={name.slice(0, at)} limit={120} />
      <Line text={name.slice(at)} limit={120} />
    </span>
  );
}

/** A sum over series says something of a counter, and of a gauge that has one. */
function nowOf(family: MetricFamily, now: number | undefined): string {
  if (now === undefined) return '–';
  return family.type === 'histogram' ? count(now) : unitOf(family.name, family.unit)(now);
}
