/** Where a span leads in the metrics: the histogram that its ending was counted in, narrowed to what is like it. */
import { printFilter, type Term } from './filter.ts';
import { kindOf, textOf } from './kind.ts';
import { type Place, to } from './place.ts';
import type { SpanRecord } from './wire.ts';

interface MetricLink {
  readonly metric: string;
  readonly name: string;
  readonly href: string;
}

/** @param has whether there is such a metric */
export function metricOf(span: SpanRecord, has: (metric: string) => boolean): MetricLink | undefined {
  const { attributes: a } = span;
  const kind = kindOf(span);
  const link = (
    metric: string,
    name: string,
    labels: Readonly<Record<string, string | undefined>>,
  ): MetricLink | undefined =>
    has(metric) ? { metric, name, href: to('metrics', { metric, where: whereOf(labels) }) } : undefined;
  if (kind === 'request')
    return link('http_server_request_duration_seconds', 'Durations of this route', {
      http_route: textOf(a['http.route']),
    });
  if (kind === 'ai')
    return link('gen_ai_client_operation_duration_seconds', 'Durations of this model', {
      gen_ai_request_model: textOf(a['gen_ai.request.model']),
    });
  if (kind === 'database' || kind === 'redis')
    return link('db_client_operation_duration_seconds', 'Durations of this operation', {
      db_system_name: textOf(a['db.system.name']),
      db_operation_name: textOf(a['db.operation.name']),
    });
  return undefined;
}

export function whereOf(labels: Readonly<Record<string, string | undefined>>): string | undefined {
  const terms = Object.entries(labels).flatMap(([key, value]): Term[] =>
    value === undefined || value === '' ? [] : [{ key, value, operator: '=', negated: false }],
  );
  return terms.length === 0 ? undefined : printFilter(terms);
}

export function linesOf(key: 'request_id' | 'session_id' | 'trace_id', value: string): string {
  const at: Place['at'] = { q: printFilter([{ key, value, operator: '=', negated: false }]), follow: '0' };
  return to('logs', at);
}
