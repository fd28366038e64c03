/** A trace's spans as the rows of a waterfall. */
import type { SpanRecord } from './wire.ts';

export interface WaterfallRow {
  readonly span: SpanRecord;
  readonly depth: number;
  readonly children: number;
  /** Its parent is not among the spans that are here: lost, dropped, or not ended yet. */
  readonly orphan: boolean;
  /** Where it is drawn: its own time, moved by `shift` milliseconds. */
  readonly start: number;
  readonly shift: number;
}

export interface Waterfall {
  readonly rows: readonly WaterfallRow[];
  readonly start: number;
  readonly end: number;
}

interface Node {
  readonly span: SpanRecord;
  readonly children: Node[];
}

/**
 * Children below their parents, each by its start. Whatever the spans say, each is there once: one whose parent is not
 * here stands at the top, and so does the earliest of a circle. A span of another service that lies outside its parent
 * and would fit into it has a clock that differs: it is moved into the middle, as Jaeger does, and all of that service
 * below it by as much.
 */
export function layOut(spans: readonly SpanRecord[], closed: ReadonlySet<string> = new Set()): Waterfall {
  const { roots, byId } = connect(spans);
  const rows: WaterfallRow[] = [];
  const seen = new Set<Node>();
  walk(roots, rows, seen, byId);
  // What no root leads to goes in circles.
  for (const node of byStart([...byId.all])) if (!seen.has(node)) walk([node], rows, seen, byId);
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    start = Math.min(start, row.start);
    end = Math.max(end, row.start + row.span.duration);
  }
  if (rows.length === 0) [start, end] = [0, 0];
  return { rows: closed.size === 0 ? rows : withoutClosed(rows, closed), start, end };
}

interface Nodes {
  readonly all: ReadonlySet<Node>;
  get(id: string | undefined): Node | undefined;
}

function connect(spans: readonly SpanRecord[]): { roots: Node[]; byId: Nodes } {
  const nodes = spans.map((span): Node => ({ span, children: [] }));
  const ids = new Map<string, Node>();
  for (const node of nodes) if (!ids.has(node.span.spanId)) ids.set(node.span.spanId, node);
  const get = (id: string | undefined): Node | undefined => (id === undefined ? undefined : ids.get(id));
  const roots: Node[] = [];
  for (const node of nodes) {
    const parent = get(node.span.parentSpanId);
    if (parent === undefined || parent === node) roots.push(node);
    else parent.children.push(node);
  }
  return { roots: byStart(roots), byId: { all: new Set(nodes), get } };
}

function byStart(nodes: Node[]): Node[] {
  // Those that start within one tick of a clock stay in the order in which they came, which is that of their ends.
  return nodes.sort((one, other) => one.span.start - other.span.start);
}

interface Step {
  readonly node: Node;
  readonly depth: number;
  readonly parent: WaterfallRow | undefined;
}

/** By a stack of its own: a chain of 10,000 spans is no deeper than a call. */
function walk(roots: readonly Node[], rows: WaterfallRow[], seen: Set<Node>, byId: Nodes): void {
  const steps: Step[] = roots.map((node): Step => ({ node, depth: 0, parent: undefined })).reverse();
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { node, depth, parent } = step;
    if (seen.has(node)) continue;
    seen.add(node);
    const { span } = node;
    const shift = parent === undefined ? 0 : shiftOf(span, parent);
    const children = byStart(node.children).filter((child) => !seen.has(child));
    const orphan = span.parentSpanId !== undefined && byId.get(span.parentSpanId) === undefined;
    const row: WaterfallRow = { span, depth, children: children.length, orphan, start: span.start + shift, shift };
    rows.push(row);
    for (const child of children.reverse()) steps.push({ node: child, depth: depth + 1, parent: row });
  }
}

/** Clocks of one machine are taken as one, and network time is never below 0. */
function shiftOf(span: SpanRecord, parent: WaterfallRow): number {
  if (span.service === parent.span.service) return parent.shift;
  const from = parent.start;
  const room = parent.span.duration - span.duration;
  if (room < 0) return span.start < from ? from - span.start : 0;
  const late = span.start + span.duration - (from + parent.span.duration);
  return span.start >= from && late <= 0 ? 0 : from + room / 2 - span.start;
}

function withoutClosed(rows: readonly WaterfallRow[], closed: ReadonlySet<string>): WaterfallRow[] {
  let hiddenBelow = Number.POSITIVE_INFINITY;
  return rows.filter(({ span, depth }) => {
    if (depth > hiddenBelow) return false;
    hiddenBelow = closed.has(span.spanId) ? depth : Number.POSITIVE_INFINITY;
    return true;
  });
}

/** Round steps of an axis over `length`, at most `most` of them. */
export function ticks(length: number, most = 5): number[] {
  if (!(length > 0) || !Number.isFinite(length)) return [0];
  const rough = length / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough) ?? 10 * power;
  const count = Math.floor(length / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}
