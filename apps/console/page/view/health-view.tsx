/** Whether the service is well: its checks, its breakers, the machine under it. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { bytes, clock, duration, many, percent } from '../model/format.ts';
import { type CheckPoint, type Transition, transitionsOf } from '../model/history.ts';
import { whereOf } from '../model/links.ts';
import type { Metrics } from '../model/metrics.ts';
import { to } from '../model/place.ts';
import { query } from '../model/plot-query.ts';
import type { HealthMoment } from '../model/wire.ts';
import { useApp, useNow, useVersion } from './context.ts';
import { Empty } from './notice.tsx';
import { Badge, Stat } from './stat.tsx';
import { Code, Line } from './text.tsx';
import { Toolbar } from './toolbar.tsx';

export function HealthView(): JSX.Element {
  const { console } = useApp();
  useVersion(({ moments }) => moments.version);
  const { health, transitions, since = 0 } = console.moments;
  if (health === undefined) {
    return (
      <div class="view">
        <Toolbar />
        <Empty
          icon="health"
          title={console.hello?.mode === 'standalone' ? 'Health is not sent by OTLP' : 'No health report yet'}
        >
          <p>
            {console.hello?.mode === 'standalone'
              ? 'A service’s own console shows its checks and breakers. What its metrics say of the machine is under Metrics.'
              : 'Checks run every few seconds; the first report comes with them.'}
          </p>
        </Empty>
      </div>
    );
  }
  return (
    <div class="view">
      <Toolbar />
      <div class="scroll">
        <Overall health={health} />
        <Checks health={health} />
        <div class="columns">
          <Breakers health={health} transitions={[...transitions, ...earlier(console.metrics, since)]} />
          <System />
        </div>
      </div>
    </div>
  );
}

function earlier(metrics: Metrics, since: number): Transition[] {
  const metric = metrics.find('circuit_breaker_state');
  return metric === undefined ? [] : transitionsOf(metrics.of(metric), since);
}

const OVERALL = {
  healthy: { tone: 'good', words: 'All that is asked for is well.' },
  degraded: { tone: 'warn', words: 'It works; something beside it does not.' },
  unhealthy: { tone: 'bad', words: 'A critical check fails: /health/ready answers 503.' },
} as const;

function Overall({ health }: { readonly health: HealthMoment }): JSX.Element {
  const { status, uptime, checks, breakers, time } = health;
  // The report was true at its moment; this one goes on.
  const now = useNow(1000);
  const { tone, words } = OVERALL[status ?? 'healthy'];
  const failing = Object.values(checks).filter((check) => check.status !== 'healthy').length;
  const open = breakers.filter(({ state }) => state !== 'closed').length;
  return (
    <section class="stats" aria-label="As a whole">
      <Stat
        name="Status"
        value={status ?? 'unknown'}
        tone={status === undefined ? undefined : tone}
        note={status === undefined ? '' : words}
      />
      <Stat
        name="Checks not well"
        value={failing}
        tone={failing > 0 ? tone : undefined}
        note={`of ${Object.keys(checks).length}`}
      />
      <Stat
        name="Breakers not closed"
        value={open}
        tone={open > 0 ? 'warn' : undefined}
        note={`of ${breakers.length}`}
      />
      <Stat name="Up for" value={duration(uptime + Math.max(0, now - time))} />
    </section>
  );
}

function Checks({ health }: { readonly health: HealthMoment }): JSX.Element {
  const { console } = useApp();
  const entries = Object.entries(health.checks);
  return (
    <section class="card" aria-labelledby="checks-title">
      <div class="card-head">
        <h2 id="checks-title">Checks</h2>
        <span class="muted">at {clock(health.time, false)}</span>
      </div>
      {entries.length === 0 ? (
        <div class="card-empty">
          <p>No check is set up. One asks in the background, with a time limit:</p>
          <Code text="obs.health.check('billing', async ({ signal }) => { … });" />
        </div>
      ) : (
        <ul class="plain checks">
          {entries.map(([name, check]) => (
            <li key={name} class="check-row">
              <span class="check-name">
                <Line text={name} limit={60} />
                {check.critical && <span class="muted"> critical</span>}
              </span>
              <Badge tone={check.status}>
                <Line text={check.status} limit={30} />
              </Badge>
              <Strip name={name} points={console.moments.historyOf(name)} />
              <span class="number muted">{duration(check.duration_ms)}</span>
              <span class="check-error">{check.error !== undefined && <Line text={check.error} limit={120} />}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const SLOTS = 60;

/** What a check said, moment by moment, since the page is open. */
function Strip({ name, points }: { readonly name: string; readonly points: readonly CheckPoint[] }): JSX.Element {
  const bad = points.filter(({ status }) => status !== 'healthy').length;
  const words = `${name}: ${many(points.length, 'report')} seen, ${bad} not healthy`;
  const shown = points.slice(-SLOTS);
  return (
    <span class="strip" role="img" aria-label={words}>
      {Array.from({ length: SLOTS - shown.length }, (_, at) => (
        <span key={`none${at}`} class="strip-cell none" />
      ))}
      {shown.map(({ time, status, duration: ms }) => (
        <span
          key={time}
          class={`strip-cell ${status}`}
          title={`${clock(time, false)} ${status}${ms === undefined ? '' : `, ${duration(ms)}`}`}
        />
      ))}
    </span>
  );
}

interface BreakersProps {
  readonly health: HealthMoment;
  readonly transitions: readonly Transition[];
}

const STATE_WORDS = { closed: 'closed', open: 'open', half_open: 'half open' } as const;

function Breakers({ health, transitions }: BreakersProps): JSX.Element {
  const { console } = useApp();
  const metric = console.metrics.find('circuit_breaker_state');
  return (
    <section class="card" aria-labelledby="breakers-title">
      <div class="card-head">
        <h2 id="breakers-title">Circuit breakers</h2>
      </div>
      {health.breakers.length === 0 ? (
        <div class="card-empty">
          <p>None is set up. One stops asking what keeps failing, and tries again later:</p>
          <Code text="const search = obs.breaker('search');" />
        </div>
      ) : (
        <ul class="plain breakers">
          {health.breakers.map(({ service, state }) => (
            <li key={service}>
              <span>
                {metric === undefined ? (
                  <Line text={service} limit={60} />
                ) : (
                  <a href={to('metrics', { metric, where: whereOf({ service }) })}>
                    <Line text={service} limit={60} />
                  </a>
                )}
              </span>
              <Badge tone={state}>{STATE_WORDS[state] ?? state}</Badge>
            </li>
          ))}
        </ul>
      )}
      {health.breakers.length > 0 && (
        <>
          <h3 class="card-sub">Transitions</h3>
          {transitions.length === 0 ? (
            <p class="card-empty">None in the last hour.</p>
          ) : (
            <ol class="plain transitions">
              {transitions.slice(0, 12).map(({ time, service, from, to: state }) => (
                <li key={`${time}${service}`}>
                  <span class="muted">{clock(time, false)}</span>
                  <Line text={service} limit={40} />
                  <span class="muted">
                    {from.replace('_', ' ')} → {state.replace('_', ' ')}
                  </span>
                </li>
              ))}
            </ol>
          )}
        </>
      )}
    </section>
  );
}

interface Gauge {
  readonly name: string;
  readonly metrics: readonly string[];
  readonly write: (value: number) => string;
}

const GAUGES: readonly Gauge[] = [
  { name: 'Processors', metrics: ['system_cpu_utilization_ratio'], write: percent },
  { name: 'Memory', metrics: ['system_memory_usage_bytes'], write: bytes },
  { name: 'Process', metrics: ['process_resident_memory_bytes'], write: bytes },
  { name: 'Heap', metrics: ['nodejs_heap_size_used_bytes'], write: bytes },
  {
    name: 'Event loop, p99 late',
    metrics: ['nodejs_eventloop_lag_p99_seconds', 'nodejs_eventloop_lag_seconds'],
    write: (value) => duration(value * 1000),
  },
  { name: 'Requests in hand', metrics: ['http_server_active_requests'], write: (value) => String(value) },
];

function System(): JSX.Element {
  const { console } = useApp();
  const version = useVersion(({ metrics }) => metrics.version);
  const stats = useMemo(() => GAUGES.flatMap((gauge) => statOf(gauge, console.metrics)), [version]);
  return (
    <section class="card" aria-labelledby="system-title">
      <div class="card-head">
        <h2 id="system-title">System</h2>
      </div>
      {stats.length === 0 ? (
        <p class="card-empty">No metric of the system has come yet.</p>
      ) : (
        <div class="stats inner">{stats}</div>
      )}
    </section>
  );
}

function statOf({ name, metrics: names, write }: Gauge, metrics: Metrics): JSX.Element[] {
  const metric = names.find((each) => metrics.families.has(each));
  const family = metric === undefined ? undefined : metrics.families.get(metric);
  const now = metrics.now(metric);
  if (family === undefined || now === undefined) return [];
  const limit = metric === 'system_memory_usage_bytes' ? metrics.now('system_memory_limit_bytes') : undefined;
  const { lines } = query(metrics, {
    family,
    reading: 'value',
    where: [],
    from: metrics.newest - 300_000,
    to: metrics.newest,
  });
  return [
    <Stat
      key={name}
      name={name}
      value={write(now)}
      note={limit === undefined ? undefined : `of ${bytes(limit)}`}
      values={lines[0]?.values}
      href={to('metrics', { metric })}
      hint="As a plot"
    />,
  ];
}
