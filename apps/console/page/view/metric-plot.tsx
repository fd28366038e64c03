/** One metric: how it is read, its lines, the traces it leads to, the same question in PromQL. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { parseFilter } from '../model/filter.ts';
import { ago, clock, many, unitOf } from '../model/format.ts';
import { textOf } from '../model/kind.ts';
import { to } from '../model/place.ts';
import {
  exemplarsOf,
  labelText,
  matchingSeries,
  type PlacedExemplar,
  type PlotData,
  type PlotQuery,
  promql,
  query,
  RANGES,
  type Range,
  READING_NAMES,
  READINGS,
  type Reading,
  readingsOf,
} from '../model/plot-query.ts';
import { nearestRequest } from '../model/spans.ts';
import type { MetricFamily, SpanRecord } from '../model/wire.ts';
import { useApp, useVersion } from './context.ts';
import { LINE_COLOURS, Plot } from './plot.tsx';
import { Code, Line } from './text.tsx';
import { Choice, Select } from './toolbar.tsx';

const NO_LABEL = '';
const LEAST_MS = 60_000;

export function MetricPlot({ family }: { readonly family: MetricFamily }): JSX.Element {
  const { console, place, change } = useApp();
  const version = useVersion(({ metrics }) => metrics.version);
  const asked = useQuestion(family);
  const { reading, by, where, range, end } = asked;
  const question = useMemo((): PlotQuery => {
    const last = end ?? console.metrics.newest;
    // What began a minute ago has no five minutes to show.
    const from = Math.min(last - LEAST_MS, Math.max(last - RANGES[range], console.metrics.oldest));
    return { family, reading, by, where: parseFilter(where), from, to: last };
  }, [family, reading, by, where, range, end, version]);
  const series = useMemo(() => matchingSeries(console.metrics, question), [question]);
  const data = useMemo(() => query(console.metrics, question), [question]);
  const exemplars = useMemo(() => exemplarsOf(series, question.from, question.to), [series, question]);
  const [point, setPoint] = useState<number | undefined>();
  const [missed, setMissed] = useState(false);
  const write = unitOf(family.name, family.unit, reading === 'rate');
  const labels = useMemo(() => labelNames(series.map((one) => one.labels)), [series]);
  const drawn = showsObservations(family, reading) ? exemplars : [];
  const open = (picked: PlacedExemplar | { time: number; value: number }): void => {
    const found =
      'traceId' in picked ? picked : nearest(console.spans.newestFirst(), picked, family, reading, place.at.where);
    setMissed(found === undefined);
    if (found !== undefined) location.hash = to('traces', { trace: found.traceId, span: found.spanId });
  };
  return (
    <section class="metric" aria-labelledby="metric-name">
      <div class="metric-head">
        <h2 id="metric-name">
          <Line text={family.name} limit={160} />
        </h2>
        <p class="muted">
          <Line text={family.help} limit={300} /> {capital(family.type)}, {many(series.length, 'series', 'series')}.
        </p>
      </div>
      <Controls asked={asked} family={family} labels={labels} />
      <div class="plot-box">
        <p class="plot-caption muted">
          <span>
            {READING_NAMES[reading]} over {range}
          </span>
          <span>{point === undefined ? 'newest' : clock(data.times[point] ?? 0, false)}</span>
        </p>
        {data.lines.length === 0 ? (
          <p class="plot-empty muted">
            {series.length === 0
              ? 'No series fits.'
              : 'Nothing to draw in this range yet: it takes two samples, two seconds apart.'}
          </p>
        ) : (
          <Plot
            data={data}
            label={`${READING_NAMES[reading]} of ${family.name} over ${range}`}
            write={write}
            exemplars={drawn}
            onPoint={setPoint}
            onPick={open}
          />
        )}
      </div>
      <Legend data={data} point={point} write={write} />
      {missed && (
        <p class="muted" role="status">
          No trace that is still held fits this point.
        </p>
      )}
      <Exemplars
        exemplars={exemplars}
        write={unitOf(family.name, family.unit)}
        isHistogram={family.type === 'histogram'}
      />
      <section class="promql">
        <h3>In Prometheus</h3>
        <Code text={promql(question)} />
      </section>
      {end !== undefined && (
        <button type="button" class="button small" onClick={() => change({ to: undefined }, 'step')}>
          Follow the newest again
        </button>
      )}
    </section>
  );
}

const capital = (word: string): string => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;

interface Question {
  readonly reading: Reading;
  readonly by: string | undefined;
  readonly where: string;
  readonly range: Range;
  readonly end: number | undefined;
}

/** As the address has it, where that makes sense. */
function useQuestion(family: MetricFamily): Question {
  const { reading, by, where = '', range, to: end } = useApp().place.at;
  const readings = readingsOf(family.type);
  return {
    reading: READINGS.find((one) => one === reading && readings.includes(one)) ?? readings[0],
    by,
    where,
    range: range !== undefined && Object.hasOwn(RANGES, range) ? (range as Range) : '5m',
    end: end !== undefined && Number.isFinite(Number(end)) ? Number(end) : undefined,
  };
}

interface ControlsProps {
  readonly asked: Question;
  readonly family: MetricFamily;
  readonly labels: readonly string[];
}

function Controls({ asked, family, labels }: ControlsProps): JSX.Element {
  const { change, console } = useApp();
  const { reading, by = NO_LABEL, where, range, end } = asked;
  const [typed, setTyped] = useState(where);
  useEffect(() => setTyped(where), [where]);
  return (
    <div class="metric-controls">
      <Select
        label="As"
        value={reading}
        choices={readingsOf(family.type).map((each) => [each, READING_NAMES[each]] as const)}
        onChoose={(each) => change({ reading: each }, 'step')}
      />
      <Select
        label="By"
        value={by}
        choices={[
          [NO_LABEL, family.type === 'gauge' ? 'Each series' : 'All together'],
          ...[...new Set([...labels, ...(by === NO_LABEL ? [] : [by])])].map((name) => [name, name] as const),
        ]}
        onChoose={(name) => change({ by: name === NO_LABEL ? undefined : name }, 'step')}
      />
      <form
        class="where"
        onSubmit={(event) => {
          event.preventDefault();
          change({ where: typed }, 'step');
        }}
      >
        <label>
          <span class="muted">Where</span>
          <input
            type="text"
            value={typed}
            placeholder={labels[0] === undefined ? 'It has no labels' : `${labels[0]}:…`}
            spellcheck={false}
            autocomplete="off"
            maxLength={500}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            onBlur={() => change({ where: typed }, 'step')}
          />
        </label>
      </form>
      <Choice
        label="Range"
        value={range}
        choices={(Object.keys(RANGES) as Range[]).map((each) => [each, each] as const)}
        onChoose={(each) => change({ range: each }, 'step')}
      />
      <button
        type="button"
        class="button small"
        aria-pressed={end !== undefined}
        title="An address with this moment shows the same to others"
        onClick={() => change({ to: end === undefined ? String(console.metrics.newest) : undefined }, 'step')}
      >
        Hold
      </button>
    </div>
  );
}

function labelNames(all: readonly Readonly<Record<string, string>>[]): string[] {
  const names = new Set<string>();
  for (const labels of all) for (const [name, value] of Object.entries(labels)) if (value !== '') names.add(name);
  return [...names];
}

function showsObservations({ type }: MetricFamily, reading: Reading): boolean {
  return type === 'histogram' && reading !== 'rate';
}

/** Values of a histogram of seconds are compared with durations; of anything else the moment alone counts. */
function nearest(
  spans: Iterable<SpanRecord>,
  { time, value }: { readonly time: number; readonly value: number },
  family: MetricFamily,
  reading: Reading,
  where = '',
): SpanRecord | undefined {
  const isDuration = showsObservations(family, reading) && family.name.endsWith('_seconds');
  const route = parseFilter(where).find(({ key, negated }) => key === 'http_route' && !negated)?.value;
  const fits = ({ attributes }: SpanRecord): boolean =>
    route === undefined || textOf(attributes['http.route']) === route;
  return nearestRequest(spans, time, isDuration ? value * 1000 : undefined, fits);
}

interface LegendProps {
  readonly data: PlotData;
  readonly point: number | undefined;
  readonly write: (value: number) => string;
}

function Legend({ data, point, write }: LegendProps): JSX.Element {
  const last = (values: readonly (number | null)[]): number | null =>
    values.findLast((value) => value !== null) ?? null;
  return (
    <>
      <ul class="plain legend">
        {data.lines.map(({ name, values }, at) => {
          const value = point === undefined ? last(values) : (values[point] ?? null);
          return (
            <li key={name}>
              <span class={`legend-mark line-${at % LINE_COLOURS}`} />
              <span class="legend-name">
                <Line text={name} limit={120} />
              </span>
              <span class="number">{value === null ? '–' : write(value)}</span>
            </li>
          );
        })}
      </ul>
      {data.more > 0 && <p class="muted">{data.more} more lines are not drawn: narrow them by “Where”.</p>}
    </>
  );
}

interface ExemplarsProps {
  readonly exemplars: readonly PlacedExemplar[];
  readonly write: (value: number) => string;
  readonly isHistogram: boolean;
}

const SHOWN = 8;

/** The way to a trace by the keyboard, and for who cannot see the plot. */
function Exemplars({ exemplars, write, isHistogram }: ExemplarsProps): JSX.Element {
  const { console } = useApp();
  return (
    <section class="exemplars" aria-labelledby="exemplars-title">
      <h3 id="exemplars-title">Traces behind it</h3>
      {exemplars.length === 0 ? (
        <p class="muted">
          {isHistogram
            ? 'No exemplar in this range. A click on the plot opens the request that comes nearest.'
            : 'A click on the plot opens the request that comes nearest to that moment.'}
        </p>
      ) : (
        <ul class="plain">
          {exemplars.slice(0, SHOWN).map(({ traceId, spanId, value, time, labels }) => (
            <li key={`${traceId}${spanId}${time}`}>
              <a href={to('traces', { trace: traceId, span: spanId })}>
                <span class="exemplar-mark" aria-hidden="true" />
                <span class="number">{write(value)}</span>
                <span class="mono">{traceId.slice(0, 8)}</span>
                <span class="muted exemplar-labels">
                  <Line text={labelText(labels)} limit={120} />
                </span>
                <span class="muted">{ago(console.now() - time)}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
