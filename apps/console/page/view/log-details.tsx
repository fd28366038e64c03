/** All that a log line says. */
import type { JSX } from 'preact';
import { andTerm } from '../model/filter.ts';
import { moment } from '../model/format.ts';
import { textOf } from '../model/kind.ts';
import { linesOf } from '../model/links.ts';
import { to } from '../model/place.ts';
import type { LogRecord } from '../model/wire.ts';
import { useApp } from './context.ts';
import { Fields } from './fields.tsx';
import { Pane } from './pane.tsx';
import { LongText } from './text.tsx';

export function LevelWord({ level }: { readonly level: LogRecord['level'] }): JSX.Element {
  return <span class={`level level-${level}`}>{level}</span>;
}

interface LogDetailsProps {
  readonly line: LogRecord;
  readonly isInTrace?: boolean;
}

export function LogDetails({ line, isInTrace = false }: LogDetailsProps): JSX.Element {
  const { change, place } = useApp();
  const narrow = (key: string, value: string, negated: boolean): void =>
    change({ q: andTerm(place.at.q ?? '', { key, value, operator: '=', negated }) }, 'step');
  const { traceId, spanId } = line;
  return (
    <Pane
      label="Log line"
      title={
        <>
          <LevelWord level={line.level} />
          <span class="muted mono pane-time">{moment(line.time)}</span>
        </>
      }
      onClose={() => change({ line: undefined }, 'step')}
    >
      <p class="log-message">
        <LongText text={line.message} />
      </p>
      <p class="links">
        {traceId !== undefined && (!isInTrace || spanId !== undefined) && (
          <a href={to('traces', { trace: traceId, span: spanId })}>{isInTrace ? 'Its span' : 'Its trace'}</a>
        )}
        {traceId !== undefined && <a href={linesOf('trace_id', traceId)}>Lines of the trace</a>}
        {link('request_id', 'Lines of the request', line)}
        {link('session_id', 'Lines of the session', line)}
      </p>
      <Fields
        fields={{
          logger: line.logger,
          service: line.service,
          ...line.fields,
          ...(traceId === undefined ? {} : { trace_id: traceId }),
          ...(spanId === undefined ? {} : { span_id: spanId }),
        }}
        onFilter={isInTrace ? undefined : narrow}
      />
    </Pane>
  );
}

function link(key: 'request_id' | 'session_id', words: string, { fields }: LogRecord): JSX.Element | undefined {
  const value = textOf(fields[key]);
  return value === undefined ? undefined : <a href={linesOf(key, value)}>{words}</a>;
}
