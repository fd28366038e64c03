/** Spans of one trace as a tree, and what may stand in their attributes. */
import * as incubating from '@opentelemetry/semantic-conventions/incubating';
import type { ReceivedSpan } from '../../../packages/binnacle/test/otlp/receiver.ts';

export interface TraceNode {
  readonly span: ReceivedSpan;
  readonly children: readonly TraceNode[];
}

/** The one root and what is below it, in order of time. Throws for an orphan, a second root, a span that came twice. */
export function toTree(spans: readonly ReceivedSpan[]): TraceNode {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  if (ids.size !== spans.length) throw new Error('a span came twice');
  const orphans = spans.filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId));
  if (orphans.length > 0) throw new Error(`orphans: ${orphans.map(({ name }) => name).join(', ')}`);
  const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
  const [root] = roots;
  if (root === undefined || roots.length > 1) throw new Error(`${roots.length} roots`);
  return toNode(root, spans);
}

function toNode(span: ReceivedSpan, spans: readonly ReceivedSpan[]): TraceNode {
  const children = spans
    .filter(({ parentSpanId }) => parentSpanId === span.spanId)
    .sort((a, b) => (BigInt(a.startTimeUnixNano) < BigInt(b.startTimeUnixNano) ? -1 : 1));
  return { span, children: children.map((child) => toNode(child, spans)) };
}

/** For the eye: names with what tells most, indented. */
export function printTree({ span, children }: TraceNode, depth = 0): string {
  const { attributes } = span;
  const told = ['http.response.status_code', 'db.system.name', 'binnacle.cache.result', 'binnacle.breaker.outcome']
    .flatMap((key) => (attributes[key] === undefined ? [] : [String(attributes[key])]))
    .join(' ');
  const kind = ['', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'][span.kind] ?? '';
  const ms = Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6;
  const line = `${'  '.repeat(depth)}${span.name} · ${kind} ${told} ${ms.toFixed(1)} ms`;
  return [line, ...children.map((child) => printTree(child, depth + 1))].join('\n');
}

/** Names of a tree, nested: `['a', ['b'], ['c', ['d']]]`. */
export type Shape = readonly [name: string, ...children: Shape[]];

export function shapeOf({ span, children }: TraceNode): Shape {
  return [span.name, ...children.map(shapeOf)];
}

const CONVENTIONS: ReadonlySet<string> = new Set(
  Object.entries(incubating).flatMap(([key, value]) =>
    key.startsWith('ATTR_') && typeof value === 'string' ? [value] : [],
  ),
);
/** GenAI's conventions have a repository of their own; these two came after the package's copy. */
const NEWER: ReadonlySet<string> = new Set(['gen_ai.response.time_to_first_chunk']);

/** Attributes that neither the conventions know nor are Binnacle's own. */
export function strangersOf(spans: readonly ReceivedSpan[]): string[] {
  const names = spans.flatMap(({ attributes }) => Object.keys(attributes));
  return [...new Set(names)].filter(
    (name) => !CONVENTIONS.has(name) && !NEWER.has(name) && !name.startsWith('binnacle.'),
  );
}
