/** A trace's spans over time. */
import type { ComponentChildren, JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { duration } from '../model/format.ts';
import { endingOf, kindOf } from '../model/kind.ts';
import type { Trace } from '../model/spans.ts';
import { layOut, ticks, type WaterfallRow } from '../model/waterfall.ts';
import { useApp } from './context.ts';
import { Icon, KindMark } from './icons.tsx';
import { type Column, List } from './list.tsx';
import { Line } from './text.tsx';

const DEEPEST = 12;
const MOST_TICKS = 80;

interface WaterfallProps {
  readonly trace: Trace;
  /** Then parents are missing since they have not ended, which is no news. */
  readonly isRunning: boolean;
}

export function Waterfall({ trace, isRunning }: WaterfallProps): JSX.Element {
  const { place, change } = useApp();
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const layout = useMemo(() => layOut(trace.spans, closed), [trace, closed]);
  const fold = (id: string, open: boolean): void => {
    const next = new Set(closed);
    if (open) next.delete(id);
    else next.add(id);
    setClosed(next);
  };
  const columns = useMemo(
    () => columnsFor(layout.start, layout.end, { closed, fold, isRunning, manyServices: trace.services.length > 1 }),
    [layout, trace, closed, isRunning],
  );
  return (
    <List
      label="Spans of this trace"
      layout="waterfall"
      isTree
      columns={columns}
      items={layout.rows}
      keyOf={({ span }) => span.spanId}
      rowHeight={28}
      selected={place.at.span}
      look={({ span, depth, children }) => ({
        class: `ending-${endingOf(span)}`,
        level: depth + 1,
        expanded: children === 0 ? undefined : !closed.has(span.spanId),
      })}
      onOpen={({ span }) =>
        change({ span: span.spanId, line: undefined }, place.at.span === undefined ? 'step' : 'quiet')
      }
      onKey={(key, { span, children }) => {
        if ((key !== 'ArrowLeft' && key !== 'ArrowRight') || children === 0) return false;
        fold(span.spanId, key === 'ArrowRight');
        return true;
      }}
      empty={null}
    />
  );
}

interface NameLook {
  readonly closed: ReadonlySet<string>;
  readonly fold: (id: string, open: boolean) => void;
  readonly isRunning: boolean;
  readonly manyServices: boolean;
}

function columnsFor(start: number, end: number, look: NameLook): Column<WaterfallRow>[] {
  const length = Math.max(0.001, end - start);
  return [
    {
      key: 'name',
      name: 'Span',
      render: (row) => <SpanName row={row} look={look} />,
    },
    { key: 'bar', name: <Axis length={length} />, render: (row) => <Bar row={row} start={start} length={length} /> },
    { key: 'duration', name: 'Duration', render: ({ span }) => <span class="number">{duration(span.duration)}</span> },
  ];
}

const at = (share: number): string => `${(Math.min(1, Math.max(0, share)) * 100).toFixed(3)}%`;

function Axis({ length }: { readonly length: number }): JSX.Element {
  return (
    <span class="axis">
      <span class="unseen">Time</span>
      {ticks(length, 4).map((ms) => (
        <span
          key={ms}
          class={`axis-tick ${ms / length > 0.86 ? 'late' : ''}`}
          style={{ left: at(ms / length) }}
          aria-hidden="true"
        >
          {duration(ms)}
        </span>
      ))}
    </span>
  );
}

function SpanName({ row, look }: { readonly row: WaterfallRow; readonly look: NameLook }): JSX.Element {
  const { span, depth, children, orphan } = row;
  const { fold, manyServices, isRunning } = look;
  const isClosed = look.closed.has(span.spanId);
  const notes: ComponentChildren[] = [];
  if (manyServices) notes.push(<Line key="service" text={span.service} limit={40} />);
  if (orphan && !isRunning)
    notes.push(
      <span key="orphan" title={`Its parent ${span.parentSpanId} is not here`}>
        parent not here
      </span>,
    );
  return (
    <span class="span-name" style={{ paddingLeft: `${Math.min(depth, DEEPEST) * 14}px` }}>
      {children > 0 ? (
        <button
          type="button"
          tabIndex={-1}
          class="fold"
          aria-label={isClosed ? `Unfold ${children} below` : `Fold ${children} below`}
          onClick={() => fold(span.spanId, isClosed)}
        >
          <Icon name={isClosed ? 'next' : 'down'} />
        </button>
      ) : (
        <span class="fold" />
      )}
      <KindMark kind={kindOf(span)} />
      <Line text={span.name} limit={160} class="span-words" />
      {endingOf(span) === 'error' && (
        <span class="bad-mark" title="error">
          <Icon name="error" />
          <span class="unseen">error</span>
        </span>
      )}
      {notes.length > 0 && <span class="muted span-notes">{notes}</span>}
    </span>
  );
}

interface BarProps {
  readonly row: WaterfallRow;
  readonly start: number;
  readonly length: number;
}

function Bar({ row, start, length }: BarProps): JSX.Element {
  const { console } = useApp();
  const { span, shift } = row;
  const left = (row.start - start) / length;
  const chunks = console.spans.chunksOf(span) ?? [];
  const every = Math.ceil(chunks.length / MOST_TICKS);
  const moments = (span.events ?? []).slice(0, 20).map(({ time }) => (time + shift - start) / length);
  return (
    <span class="bar-track">
      {ticks(length, 4).map((ms) => (
        <span key={ms} class="grid-line" style={{ left: at(ms / length) }} />
      ))}
      <span
        class={`bar fill-${kindOf(span)} ${endingOf(span)}`}
        title={
          shift === 0
            ? undefined
            : `Drawn ${duration(Math.abs(shift))} ${shift > 0 ? 'later' : 'earlier'}: its clock differs`
        }
        style={{ left: at(left), width: at(Math.min(1 - left, span.duration / length)) }}
      />
      {chunks.map(
        (ms, place) =>
          place % every === 0 && <span key={place} class="chunk-tick" style={{ left: at(left + ms / length) }} />,
      )}
      {moments.map((share, place) => (
        <span key={`e${place}`} class="event-mark" style={{ left: at(share) }} />
      ))}
    </span>
  );
}
