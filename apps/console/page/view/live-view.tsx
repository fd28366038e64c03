/** Requests as they run, and those that have just ended. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { bytes, clock, count, digits, duration, many, percent } from '../model/format.ts';
import { endingOf, textOf } from '../model/kind.ts';
import { to } from '../model/place.ts';
import { routeOf } from '../model/spans.ts';
import { lastRequests, trafficOf } from '../model/traffic.ts';
import type { LiveRequest, SpanRecord } from '../model/wire.ts';
import { lessMotion, useApp, useNow, useVersion } from './context.ts';
import { Empty, HowToSend } from './notice.tsx';
import { Badge, Stat } from './stat.tsx';
import { Line } from './text.tsx';
import { Toolbar } from './toolbar.tsx';

const SHOWN = 60;
const ENDED = 40;

export function LiveView(): JSX.Element {
  const { console } = useApp();
  const version = useVersion(({ moments }) => moments.version);
  const { live } = console.moments;
  const requests = live?.requests ?? [];
  return (
    <div class="view">
      <Toolbar />
      <div class="scroll">
        <Tiles running={live?.total} />
        <section class="card" aria-labelledby="running-title">
          <div class="card-head">
            <h2 id="running-title">Running</h2>
            <span class="muted">{live === undefined ? '' : many(live.total, 'request')}</span>
          </div>
          {requests.length === 0 ? (
            <p class="card-empty">
              {console.hello?.mode === 'standalone'
                ? 'What runs is seen in a service’s own console. What ended comes in below.'
                : 'Nothing runs at this moment. A request shows here from its first byte to its last, phase by phase.'}
            </p>
          ) : (
            <Running key="running" requests={requests} version={version} />
          )}
          {(live?.total ?? 0) > SHOWN && (
            <p class="card-empty">{count((live?.total ?? 0) - SHOWN)} more are running.</p>
          )}
        </section>
        <JustEnded />
      </div>
    </div>
  );
}

function Tiles({ running }: { readonly running: number | undefined }): JSX.Element {
  const { console } = useApp();
  const version = useVersion(({ metrics, spans }) => metrics.version + spans.version);
  const traffic = useMemo(() => trafficOf(console.metrics, console.spans, console.now()), [version]);
  const metric = 'http_server_request_duration_seconds';
  const hasMetric = console.metrics.families.has(metric);
  const plot = (reading: string): string | undefined => (hasMetric ? to('metrics', { metric, reading }) : undefined);
  const { errorShare } = traffic;
  return (
    <section class="stats" aria-label="The last minute">
      <Stat name="Running now" value={running === undefined ? '–' : count(running)} />
      <Stat
        name="Requests a second"
        value={digits(traffic.perSecond)}
        values={traffic.rates}
        href={plot('rate')}
        hint="As a plot"
      />
      <Stat
        name="Errors"
        value={percent(errorShare)}
        tone={errorShare > 0.05 ? 'bad' : errorShare > 0 ? 'warn' : undefined}
        href={to('traces', { q: 'status:error' })}
        hint="Traces with an error"
      />
      <Stat name="p50" value={duration(traffic.p50)} href={plot('p50')} hint="As a plot" />
      <Stat name="p95" value={duration(traffic.p95)} href={plot('p95')} hint="As a plot" />
    </section>
  );
}

interface RunningProps {
  readonly requests: readonly LiveRequest[];
  readonly version: number;
}

function Running({ requests }: RunningProps): JSX.Element {
  const now = useNow(lessMotion() ? 1000 : 100);
  const shown = requests.slice(0, SHOWN);
  const oldest = Math.max(1000, ...shown.map(({ start }) => now - start));
  const scale = niceSpan(oldest * 1.05);
  return (
    <div class="running">
      <div class="live-row live-axis" aria-hidden="true">
        <span />
        <span class="live-scale">
          <span>0</span>
          <span>{duration(scale / 2)}</span>
          <span>{duration(scale)}</span>
        </span>
        <span />
      </div>
      <ul class="plain">
        {shown.map((request) => (
          <LiveRow key={request.id} request={request} now={now} scale={scale} />
        ))}
      </ul>
    </div>
  );
}

/** The next of 1, 2, 5, 10… seconds, so that bars grow against a scale that stands still. */
function niceSpan(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(ms));
  return ([1, 2, 5, 10].find((times) => times * power >= ms) ?? 10) * power;
}

interface LiveRowProps {
  readonly request: LiveRequest;
  readonly now: number;
  readonly scale: number;
}

function LiveRow({ request, now, scale }: LiveRowProps): JSX.Element {
  const { method, route, traceId, id, sessionId, phases } = request;
  const elapsed = Math.max(0, now - request.start);
  const phase = phases.at(-1);
  const href = traceId === undefined ? to('logs', { q: `request_id:${id}` }) : to('traces', { trace: traceId });
  const phaseNow = phase !== undefined && phase.duration === undefined ? phase.name : undefined;
  return (
    <li class="live-row">
      <a class="live-name" href={href} title={`Request ${id}`}>
        <span class="live-what">
          <span class="method">{method}</span> <Line text={route} limit={80} />
        </span>
        <span class="muted live-sub">
          {phaseNow === undefined ? <Line text={sessionId ?? id} limit={40} /> : <Line text={phaseNow} limit={40} />}
        </span>
      </a>
      <span class="live-bar" role="img" aria-label={barWords(request, elapsed)}>
        <Segments request={request} now={now} scale={scale} />
      </span>
      <span class="live-figures">
        <span class="live-elapsed">{duration(elapsed)}</span>
        <span class="muted live-sub">{sentWords(request)}</span>
      </span>
    </li>
  );
}

function sentWords({ events, bytes: sent, firstByte }: LiveRequest): string {
  if (firstByte === undefined) return 'no byte yet';
  return events > 0 ? `${many(events, 'event')} · ${bytes(sent)}` : bytes(sent);
}

function barWords({ phases, firstByte }: LiveRequest, elapsed: number): string {
  const parts = phases.map(({ name, duration: ms }) => `${name} ${ms === undefined ? 'running' : duration(ms)}`);
  const first = firstByte === undefined ? 'no byte sent yet' : `first byte after ${duration(firstByte)}`;
  return [`Running for ${duration(elapsed)}`, ...parts, first].join(', ');
}

function Segments({ request, now, scale }: LiveRowProps): JSX.Element {
  const { phases, start, firstByte } = request;
  const share = (ms: number): string => `${Math.min(100, Math.max(0, (ms / scale) * 100)).toFixed(2)}%`;
  return (
    <>
      <span class="live-whole" style={{ width: share(now - start) }} />
      {phases.map(({ name, start: from, duration: ms }, at) => (
        <span
          key={at}
          class={`live-phase tone-${at % 2} ${ms === undefined ? 'runs' : ''}`}
          style={{ left: share(from - start), width: share(ms ?? Math.max(0, now - from)) }}
        >
          <span class="live-phase-name">
            <Line text={name} limit={40} />
          </span>
        </span>
      ))}
      {firstByte !== undefined && <span class="live-first" style={{ left: share(firstByte) }} />}
    </>
  );
}

function JustEnded(): JSX.Element {
  const { console } = useApp();
  const version = useVersion(({ spans }) => spans.version);
  const ended = useMemo(() => lastRequests(console.spans, ENDED), [version]);
  const longest = Math.max(1, ...ended.map(({ duration: ms }) => ms));
  return (
    <section class="card" aria-labelledby="ended-title">
      <div class="card-head">
        <h2 id="ended-title">Just ended</h2>
        <a href={to('traces')}>All traces</a>
      </div>
      {ended.length === 0 ? (
        <Empty icon="live" title="No request has ended yet">
          <HowToSend />
        </Empty>
      ) : (
        <ul class="plain ended">
          {ended.map((span) => (
            <EndedRow key={`${span.traceId}/${span.spanId}`} span={span} longest={longest} />
          ))}
        </ul>
      )}
    </section>
  );
}

function EndedRow({ span, longest }: { readonly span: SpanRecord; readonly longest: number }): JSX.Element {
  const { attributes, traceId, spanId, start } = span;
  const ending = endingOf(span);
  return (
    <li>
      <a class="ended-row" href={to('traces', { trace: traceId, span: spanId })}>
        <span class="muted ended-time">{clock(start + span.duration)}</span>
        <span class="ended-name">
          <span class="method">{textOf(attributes['http.request.method']) ?? ''}</span>{' '}
          <Line text={routeOf(span)} limit={100} />
        </span>
        <span class="duration-bar" aria-hidden="true">
          <span style={{ width: `${Math.max(0.5, (span.duration / longest) * 100).toFixed(1)}%` }} class={ending} />
        </span>
        <span class="number">{duration(span.duration)}</span>
        <Badge tone={toneOf(span)}>{statusWords(span)}</Badge>
      </a>
    </li>
  );
}

/** A refusal is no failure of the service's, and nothing to be green about. */
export function toneOf(span: SpanRecord): string {
  const ending = endingOf(span);
  const code = textOf(span.attributes['http.response.status_code']) ?? '';
  return ending === 'success' && code.startsWith('4') ? 'refused' : ending;
}

/** The code where there is one, else how it ended. */
export function statusWords(span: SpanRecord): string {
  const code = textOf(span.attributes['http.response.status_code']);
  const ending = endingOf(span);
  if (code === undefined) return ending;
  return ending === 'success' || code.startsWith('5') || code === '499' ? code : `${code} ${ending}`;
}
