/** One trace: its waterfall, the span and the log lines that belong to it. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { count, duration, many, moment, percent } from '../model/format.ts';
import { KIND_NAMES } from '../model/kind.ts';
import { to } from '../model/place.ts';
import { selfTimes } from '../model/self-time.ts';
import type { Trace } from '../model/spans.ts';
import { layOut } from '../model/waterfall.ts';
import type { LiveRequest, LogRecord } from '../model/wire.ts';
import { useApp, useCloser, useVersion } from './context.ts';
import { Icon, KindMark } from './icons.tsx';
import { type Column, List } from './list.tsx';
import { statusWords, toneOf } from './live-view.tsx';
import { LevelWord, LogDetails } from './log-details.tsx';
import { Empty } from './notice.tsx';
import { SpanDetails } from './span-details.tsx';
import { Badge } from './stat.tsx';
import { Copy, Line } from './text.tsx';
import { Waterfall } from './waterfall.tsx';

export function TraceView({ id }: { readonly id: string }): JSX.Element {
  const { console, place } = useApp();
  const version = useVersion(({ spans }) => spans.version);
  const linesVersion = useVersion(({ logs }) => logs.version);
  useVersion(({ moments }) => moments.version);
  const trace = useMemo(() => console.spans.trace(id), [version, id]);
  const lines = useMemo(() => [...console.logs.ofTrace(id)], [linesVersion, id]);
  const shifts = useMemo(() => shiftsOf(trace), [trace]);
  const running = console.moments.live?.requests.find(({ traceId }) => traceId === id);
  const { span: spanId, line } = place.at;
  const span = trace?.spans.find((one) => one.spanId === spanId);
  const record = line === undefined ? undefined : console.logs.bySeq(Number(line));
  return (
    <div class="view trace">
      <TraceHead id={id} trace={trace} running={running} />
      <div class="trace-body">
        <div class="trace-main">
          {trace === undefined ? (
            <NoSpans running={running} hasLines={lines.length > 0} />
          ) : (
            <Spans trace={trace} isRunning={running !== undefined} />
          )}
        </div>
        <div class="trace-side">
          {record !== undefined && <LogDetails line={record} isInTrace />}
          {record === undefined && span !== undefined && <SpanDetails span={span} />}
          <TraceLines
            lines={lines}
            start={trace?.start ?? lines[0]?.time ?? 0}
            spanId={spanId}
            id={id}
            shifts={shifts}
          />
        </div>
      </div>
    </div>
  );
}

function shiftsOf(trace: Trace | undefined): ReadonlyMap<string, number> {
  if (trace === undefined || trace.services.length < 2) return new Map();
  return new Map(layOut(trace.spans).rows.map(({ span, shift }) => [span.spanId, shift]));
}

/** While it runs, the span of the request itself has not come. */
function titleOf(trace: Trace | undefined, running: LiveRequest | undefined): string {
  return running === undefined ? (trace?.root?.name ?? 'Trace') : `${running.method} ${running.route}`;
}

interface TraceHeadProps {
  readonly id: string;
  readonly trace: Trace | undefined;
  readonly running: LiveRequest | undefined;
}

function TraceHead({ id, trace, running }: TraceHeadProps): JSX.Element {
  const { place, go } = useApp();
  const root = trace?.root;
  const back = to('traces', { q: place.at.q });
  useCloser(() => go('traces', { q: place.at.q }));
  return (
    <div class="trace-head">
      <a class="icon-button" href={back} aria-label="Back to all traces" title="Back to all traces (Esc)">
        <Icon name="back" />
      </a>
      <div class="trace-title">
        <h1>
          <Line text={titleOf(trace, running)} limit={160} />
        </h1>
        <p class="muted trace-facts">
          <span class="mono trace-id">
            <Line text={id} limit={64} />
          </span>
          <Copy text={id} label="Copy the trace's id" />
          {trace !== undefined && (
            <>
              <span title={moment(trace.start)}>{new Date(trace.start).toLocaleTimeString('en-GB')}</span>
              <span>{many(trace.spans.length, 'span')}</span>
              {trace.services.length > 1 && <Line text={trace.services.join(', ')} limit={120} />}
            </>
          )}
        </p>
      </div>
      <div class="trace-sum">
        {running !== undefined && <Badge tone="runs">running</Badge>}
        {root !== undefined && running === undefined && <Badge tone={toneOf(root)}>{statusWords(root)}</Badge>}
        {trace !== undefined && <span class="trace-duration">{duration(trace.duration)}</span>}
      </div>
    </div>
  );
}

function NoSpans({
  running,
  hasLines,
}: {
  readonly running: LiveRequest | undefined;
  readonly hasLines: boolean;
}): JSX.Element {
  if (running !== undefined) {
    return (
      <Empty icon="live" title="This request is still running">
        <p>Its spans come when they end. {hasLines ? 'Its log lines are here already.' : ''}</p>
      </Empty>
    );
  }
  return (
    <Empty icon="traces" title="This trace is not here">
      <p>It was let go since newer ones came, was not sampled, or belongs to a start before this one.</p>
    </Empty>
  );
}

function Spans({ trace, isRunning }: { readonly trace: Trace; readonly isRunning: boolean }): JSX.Element {
  const shares = useMemo(() => selfTimes(layOut(trace.spans)), [trace]);
  return (
    <>
      <section class="shares" aria-label="Where the time went">
        <div class="shares-bar" aria-hidden="true">
          {shares.map(({ kind, share }) => (
            <span key={kind} class={`fill-${kind}`} style={{ width: `${(share * 100).toFixed(2)}%` }} />
          ))}
        </div>
        <ul class="plain shares-list">
          {shares.map(({ kind, ms, share }) => (
            <li key={kind} title={`${KIND_NAMES[kind]}: ${duration(ms)} of its own`}>
              <KindMark kind={kind} />
              {KIND_NAMES[kind]} <span class="muted">{percent(share)}</span>
            </li>
          ))}
        </ul>
      </section>
      <Waterfall trace={trace} isRunning={isRunning} />
    </>
  );
}

interface TraceLinesProps {
  readonly lines: readonly LogRecord[];
  readonly start: number;
  readonly spanId: string | undefined;
  readonly id: string;
  /** By how much spans are drawn away from their own clock, which their lines have too. */
  readonly shifts: ReadonlyMap<string, number>;
}

function TraceLines({ lines, start, spanId, id, shifts }: TraceLinesProps): JSX.Element {
  const { place, change } = useApp();
  const columns = useMemo(() => lineColumns(start, shifts), [start, shifts]);
  return (
    <section class="trace-lines" aria-label="Log lines of this trace">
      <div class="pane-head">
        <h2>
          Log lines <span class="muted">{count(lines.length)}</span>
        </h2>
        {lines.length > 0 && <a href={to('logs', { q: `trace_id:${id}`, follow: '0' })}>In Logs</a>}
      </div>
      <List
        label="Log lines of this trace"
        layout="trace-lines"
        isAside
        columns={columns}
        items={lines}
        keyOf={({ seq }) => String(seq)}
        rowHeight={28}
        selected={place.at.line}
        look={(line) => ({
          class: `level-${line.level} ${spanId !== undefined && line.spanId === spanId ? 'of-span' : ''}`,
        })}
        onOpen={({ seq }) => change({ line: String(seq) }, 'step')}
        empty={<p class="card-empty">No line was written in this trace, or what was written is no longer held.</p>}
      />
    </section>
  );
}

function lineColumns(start: number, shifts: ReadonlyMap<string, number>): Column<LogRecord>[] {
  return [
    {
      key: 'offset',
      name: 'After',
      render: ({ time, spanId }) => <span class="muted">{offset(time + (shifts.get(spanId ?? '') ?? 0) - start)}</span>,
    },
    { key: 'level', name: 'Level', render: ({ level }) => <LevelWord level={level} /> },
    { key: 'message', name: 'Message', render: ({ message }) => <Line text={message} limit={240} /> },
  ];
}

function offset(ms: number): string {
  return ms < 0 ? `−${duration(-ms)}` : duration(ms);
}
