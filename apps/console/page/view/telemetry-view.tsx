/** Whether what the service tells arrives: exporter, queues, drops, budgets, and what this console holds. */
import type { JSX } from 'preact';
import { bytes, count, many, percent } from '../model/format.ts';
import { LINE_LIMIT, LINE_SIZE_LIMIT } from '../model/logs.ts';
import { to } from '../model/place.ts';
import { SPAN_LIMIT, SPAN_SIZE_LIMIT } from '../model/spans.ts';
import type { TelemetryMoment } from '../model/wire.ts';
import { useApp, useVersion } from './context.ts';
import { Empty } from './notice.tsx';
import { Badge, Meter, Stat } from './stat.tsx';
import { Line } from './text.tsx';
import { Toolbar } from './toolbar.tsx';

export function TelemetryView(): JSX.Element {
  const { console } = useApp();
  useVersion(({ moments }) => moments.version);
  const { telemetry } = console.moments;
  return (
    <div class="view">
      <Toolbar />
      <div class="scroll">
        {telemetry === undefined ? (
          <Empty icon="telemetry" title="Nothing told of telemetry yet">
            <p>How exporter, queues and series are doing comes every few seconds.</p>
          </Empty>
        ) : (
          <Told telemetry={telemetry} />
        )}
        <Held telemetry={telemetry} />
      </div>
    </div>
  );
}

function Told({ telemetry }: { readonly telemetry: TelemetryMoment }): JSX.Element {
  const { console } = useApp();
  return console.hello?.mode === 'standalone' ? <Received telemetry={telemetry} /> : <Sent telemetry={telemetry} />;
}

/** A console of its own sends nothing on: what comes in is what counts. */
function Received({ telemetry: { spans, logs } }: { readonly telemetry: TelemetryMoment }): JSX.Element {
  return (
    <section class="stats" aria-label="What was received since the start">
      <Stat name="Spans received" value={count(spans.exported)} />
      <Stat name="Spans refused" value={count(spans.failed)} tone={spans.failed > 0 ? 'bad' : undefined} />
      <Stat name="Lines dropped" value={count(logs.dropped)} tone={logs.dropped > 0 ? 'bad' : undefined} />
    </section>
  );
}

function Sent({ telemetry }: { readonly telemetry: TelemetryMoment }): JSX.Element {
  const { spans, logs } = telemetry;
  return (
    <>
      <section class="stats" aria-label="Spans and lines since the start">
        <Stat
          name="Spans exported"
          value={count(spans.exported)}
          href={to('metrics', { metric: 'binnacle_spans_total', by: 'result' })}
          hint="As a plot"
        />
        <Stat name="Spans kept" value={count(spans.kept)} note="not sampled, and kept for how they ended" />
        <Stat name="Spans dropped" value={count(spans.dropped)} tone={spans.dropped > 0 ? 'bad' : undefined} />
        <Stat
          name="Spans failed"
          value={count(spans.failed)}
          tone={spans.failed > 0 ? 'bad' : undefined}
          note="refused by the receiver"
        />
        <Stat name="Lines dropped" value={count(logs.dropped)} tone={logs.dropped > 0 ? 'bad' : undefined} />
        <Stat name="Lines without context" value={count(logs.withoutContext)} note="written outside of any request" />
      </section>
      <div class="columns">
        <Exporter telemetry={telemetry} />
        <Budgets telemetry={telemetry} />
      </div>
    </>
  );
}

function Exporter({ telemetry }: { readonly telemetry: TelemetryMoment }): JSX.Element {
  const { exporter, queues } = telemetry;
  return (
    <section class="card" aria-labelledby="exporter-title">
      <div class="card-head">
        <h2 id="exporter-title">Exporter</h2>
        {exporter.up !== undefined && (
          <Badge tone={exporter.up ? 'healthy' : 'unhealthy'}>{exporter.up ? 'up' : 'down'}</Badge>
        )}
      </div>
      <dl class="fields in-card">
        <div class="field">
          <dt>Kind</dt>
          <dd>
            <Line text={exporter.kind} limit={60} />
          </dd>
        </div>
        {exporter.endpoint !== undefined && (
          <div class="field">
            <dt>Sends to</dt>
            <dd class="mono">
              <Line text={exporter.endpoint} limit={200} />
            </dd>
          </div>
        )}
      </dl>
      {exporter.kind === 'none' && (
        <p class="card-empty">
          Spans stay in this process and this console. Set <code>OTEL_EXPORTER_OTLP_ENDPOINT</code> to send them on.
        </p>
      )}
      {queues.length > 0 && (
        <ul class="plain queues">
          {queues.map(({ name, size, limit, bytes: held }) => {
            const words = `${count(size)}${limit === undefined ? '' : ` of ${count(limit)}`}${held === undefined ? '' : ` · ${bytes(held)}`}`;
            return (
              <li key={name} class="meter-row">
                <Line text={name} limit={60} />
                {limit === undefined ? <span /> : <Meter share={size / limit} label={`${name}: ${words}`} />}
                <span class="number muted">{words}</span>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function Budgets({ telemetry }: { readonly telemetry: TelemetryMoment }): JSX.Element {
  const { series } = telemetry;
  const all = series.reduce((sum, one) => sum + one.count, 0);
  return (
    <section class="card" aria-labelledby="budgets-title">
      <div class="card-head">
        <h2 id="budgets-title">Series</h2>
        <span class="muted">{many(all, 'series', 'series')} in these</span>
      </div>
      {series.length === 0 ? (
        <p class="card-empty">No metric has a series yet.</p>
      ) : (
        <ul class="plain budgets">
          {series.map(({ metric, count: size, budget, folded }) => (
            <li key={metric} class="meter-row">
              <a href={to('metrics', { metric })}>
                <Line text={metric} limit={80} />
              </a>
              <Meter share={size / budget} label={`${metric}: ${size} of ${budget} series`} />
              <span class="number muted">
                {count(size)} of {count(budget)}
                {folded > 0 && <span class="bad-text"> · {count(folded)} folded</span>}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const SIGNAL_NAMES = { spans: 'Spans', logs: 'Log lines', metrics: 'Metrics' } as const;

function Held({ telemetry }: { readonly telemetry: TelemetryMoment | undefined }): JSX.Element {
  const { console } = useApp();
  useVersion(({ version }) => version);
  const { spans, logs, metrics, skipped } = console;
  const page = {
    spans: `${count(spans.count)} of ${count(SPAN_LIMIT)} · ${bytes(spans.size)} of ${bytes(SPAN_SIZE_LIMIT)}`,
    logs: `${count(logs.count)} of ${count(LINE_LIMIT)} · ${bytes(logs.size)} of ${bytes(LINE_SIZE_LIMIT)}`,
    metrics: many(metrics.seriesCount, 'series', 'series'),
  };
  return (
    <section class="card" aria-labelledby="held-title">
      <div class="card-head">
        <h2 id="held-title">What the console holds</h2>
        <span class="muted aside">in memory; the oldest go first</span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways where it is narrow, by the keyboard too */}
      <section class="table-box" aria-label="What the console holds, as a table" tabIndex={0}>
        <table class="held">
          <thead>
            <tr>
              <th scope="col">Signal</th>
              <th scope="col" class="right">
                {console.hello?.mode === 'standalone' ? 'In its memory' : 'In the service'}
              </th>
              <th scope="col">Of its bound</th>
              <th scope="col" class="right">
                Let go
              </th>
              <th scope="col" class="right">
                In this page
              </th>
              <th scope="col" class="right">
                Skipped on the way
              </th>
            </tr>
          </thead>
          <tbody>
            {(['spans', 'logs', 'metrics'] as const).map((signal) => {
              const store = telemetry?.store.find((one) => one.signal === signal);
              return (
                <tr key={signal}>
                  <th scope="row">{SIGNAL_NAMES[signal]}</th>
                  <td class="right">{store === undefined ? '–' : count(store.count)}</td>
                  <td>
                    {store === undefined ? (
                      '–'
                    ) : (
                      <Bound bytes={store.bytes} limit={store.limitBytes} name={SIGNAL_NAMES[signal]} />
                    )}
                  </td>
                  <td class="right">{store === undefined ? '–' : count(store.evicted)}</td>
                  <td class="right">{page[signal]}</td>
                  <td class="right">{count(skipped[signal])}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function Bound({
  bytes: held,
  limit,
  name,
}: {
  readonly bytes: number;
  readonly limit: number;
  readonly name: string;
}): JSX.Element {
  return (
    <span class="bound">
      <Meter share={held / limit} label={`${name}: ${percent(held / limit)} of the bound`} />
      <span class="number muted">
        {bytes(held)} of {bytes(limit)}
      </span>
    </span>
  );
}
