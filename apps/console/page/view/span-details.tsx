/** All that a span says. */
import type { JSX } from 'preact';
import { duration, moment } from '../model/format.ts';
import { KIND_NAMES, kindOf, textOf } from '../model/kind.ts';
import { linesOf, metricOf } from '../model/links.ts';
import { to } from '../model/place.ts';
import type { SpanRecord } from '../model/wire.ts';
import { ChunkTimeline } from './chunk-timeline.tsx';
import { useApp, useVersion } from './context.ts';
import { Fields } from './fields.tsx';
import { KindMark } from './icons.tsx';
import { statusWords, toneOf } from './live-view.tsx';
import { Pane } from './pane.tsx';
import { Badge, Facts } from './stat.tsx';
import { Line, LongText } from './text.tsx';

export function SpanDetails({ span }: { readonly span: SpanRecord }): JSX.Element {
  const { console, change } = useApp();
  const kind = kindOf(span);
  const chunks = console.spans.chunksOf(span);
  return (
    <Pane
      label="Span"
      title={
        <>
          <KindMark kind={kind} />
          <Line text={span.name} limit={120} />
        </>
      }
      onClose={() => change({ span: undefined }, 'step')}
    >
      <Facts
        facts={[
          { name: 'Duration', value: duration(span.duration) },
          { name: 'Ended', value: <Badge tone={toneOf(span)}>{statusWords(span)}</Badge> },
          {
            name: 'Kind',
            value: kind === 'internal' || kind === 'client' ? KIND_NAMES[kind] : `${KIND_NAMES[kind]} · ${span.kind}`,
          },
          { name: 'Service', value: <Line text={span.service} limit={60} /> },
        ]}
      />
      {span.statusMessage !== undefined && span.statusMessage !== '' && (
        <p class="trouble">
          <LongText text={span.statusMessage} />
        </p>
      )}
      <SpanLinks span={span} />
      {chunks !== undefined && <ChunkTimeline times={chunks} duration={span.duration} />}
      <h3>Attributes</h3>
      <Fields fields={span.attributes} />
      <Events span={span} />
      <h3>Identity</h3>
      <Fields
        fields={{
          span_id: span.spanId,
          ...(span.parentSpanId === undefined ? {} : { parent_span_id: span.parentSpanId }),
          trace_id: span.traceId,
          started: moment(span.start),
          ...(span.scope === undefined ? {} : { scope: span.scope }),
        }}
      />
    </Pane>
  );
}

/** From here to its lines, its call of a model, its metric. */
function SpanLinks({ span }: { readonly span: SpanRecord }): JSX.Element {
  const { console, place } = useApp();
  useVersion(({ metrics }) => metrics.families.size);
  const { traceId, spanId, links = [] } = span;
  const metric = metricOf(span, (name) => console.metrics.families.has(name));
  const session = textOf(span.attributes['session.id']);
  return (
    <p class="links">
      {place.view !== 'traces' && <a href={to('traces', { trace: traceId, span: spanId })}>Its trace</a>}
      <a href={linesOf('trace_id', traceId)}>Log lines of the trace</a>
      {session !== undefined && <a href={linesOf('session_id', session)}>Log lines of the session</a>}
      {kindOf(span) === 'ai' && place.view !== 'ai' && (
        <a href={to('ai', { trace: traceId, span: spanId })}>As a call of a model</a>
      )}
      {metric !== undefined && <a href={metric.href}>{metric.name}</a>}
      {links.slice(0, 20).map((link) => (
        <a key={`${link.traceId}/${link.spanId}`} href={to('traces', { trace: link.traceId, span: link.spanId })}>
          Linked trace {link.traceId.slice(0, 8)}
        </a>
      ))}
    </p>
  );
}

const MOST_EVENTS = 50;

function Events({ span }: { readonly span: SpanRecord }): JSX.Element | null {
  const { events = [], start } = span;
  if (events.length === 0) return null;
  return (
    <>
      <h3>Events</h3>
      <ol class="plain events">
        {events.slice(0, MOST_EVENTS).map(({ name, time, attributes }, at) => (
          <li key={at}>
            <p>
              <span class="number muted">{duration(time - start)}</span> <Line text={name} limit={120} />
            </p>
            <Fields fields={attributes} />
          </li>
        ))}
      </ol>
      {events.length > MOST_EVENTS && <p class="muted">{events.length - MOST_EVENTS} more events are not shown.</p>}
    </>
  );
}
