/**
 * Spans of requests that end alike, encoded once: of each only ids, times and its path are written into a copy. The
 * fields stand in another order than their numbers, which protobuf leaves open.
 */
import { type AttributeValue, type SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { DrawnIds } from '../random.ts';
import type { CompiledSpan, EndedRequest, EndedSpan, RequestKind } from '../signals.ts';
import { ByteWriter } from './bytes.ts';
import { flagsOf, SPAN, writeAttribute, writeBareEvent, writeStatus } from './otlp-span.ts';

/** A copy's beginning: where each span's own bytes stand in it. */
interface Template {
  readonly bytes: Uint8Array;
  readonly traceIdAt: number;
  readonly spanIdAt: number;
  readonly startAt: number;
  /** Ends, and events at the end. */
  readonly endAts: readonly number[];
  /** Of the event `first_byte`; -1 without it. */
  readonly firstByteAt: number;
}

/** More bytes than a span needs beside its template, its path and its session. */
const OWN_BYTES = 512;
/** Addresses whose attribute is kept encoded. */
const ADDRESSES = 1000;
const addresses = new Map<string, Uint8Array>();

export class SpanTemplates implements CompiledSpan {
  readonly kind: RequestKind;
  /** With the event of a first byte, and without. */
  #begun: Template | undefined;
  #silent: Template | undefined;
  readonly #routeAsPath: Uint8Array;

  constructor(kind: RequestKind) {
    this.kind = kind;
    this.#routeAsPath = encodeAttribute('url.path', kind.route);
  }

  /** More bytes than the span of a request takes. */
  sizeOf({ path }: EndedRequest): number {
    return OWN_BYTES + this.#routeAsPath.length * 4 + path.length * 3;
  }

  /** Writes a span's fields. */
  write(to: ByteWriter, span: EndedSpan, ended: EndedRequest): void {
    const { parent, startedAt } = span;
    const { request, path, durationMs, firstByteMs } = ended;
    const template = this.#templateFor(firstByteMs !== undefined);
    const at = to.length;
    to.raw(template.bytes);
    if (span.drawn === undefined) {
      to.patchHex(at + template.traceIdAt, span.traceId);
      to.patchHex(at + template.spanIdAt, span.spanId);
    } else patchDrawn(to, at + template.traceIdAt, at + template.spanIdAt, span.drawn);
    to.patchMs(at + template.startAt, startedAt);
    for (const endAt of template.endAts) to.patchMs(at + endAt, startedAt + durationMs);
    if (firstByteMs !== undefined) to.patchMs(at + template.firstByteAt, startedAt + firstByteMs);
    if (path === this.kind.route) to.raw(this.#routeAsPath);
    else writeAttribute(to, SPAN.attributes, 'url.path', path);
    if (request.ip !== undefined) to.raw(addressOf(request.ip));
    if (request.sessionId !== undefined) writeAttribute(to, SPAN.attributes, 'session.id', request.sessionId);
    if (parent !== undefined) writeParent(to, parent);
    to.fixed32(SPAN.flags, flagsOf(span.traceFlags, parent?.isRemote));
  }

  #templateFor(hasBegun: boolean): Template {
    if (hasBegun) {
      this.#begun ??= createTemplate(this.kind, true);
      return this.#begun;
    }
    this.#silent ??= createTemplate(this.kind, false);
    return this.#silent;
  }
}

function createTemplate(kind: RequestKind, hasBegun: boolean): Template {
  const to = new ByteWriter(512);
  const { method, route, sentStatus, errorType, outcome } = kind;
  const set = (name: string, value: AttributeValue): void => writeAttribute(to, SPAN.attributes, name, value);
  to.hex(SPAN.traceId, '0'.repeat(32));
  const traceIdAt = to.length - 16;
  to.hex(SPAN.spanId, '0'.repeat(16));
  const spanIdAt = to.length - 8;
  to.nanos(SPAN.start, 0, 0);
  const startAt = to.length - 8;
  to.nanos(SPAN.end, 0, 0);
  const endAts = [to.length - 8];
  const firstByteAt = hasBegun ? writeBareEvent(to, 'first_byte') : -1;
  if (errorType === 'client_disconnect') endAts.push(writeBareEvent(to, 'client_disconnect'));
  to.string(SPAN.name, kind.isMatched ? `${method} ${route}` : method);
  to.uint(SPAN.kind, SpanKind.SERVER + 1);
  set('http.request.method', method);
  set('url.scheme', kind.scheme);
  set('network.protocol.version', kind.protocol);
  if (kind.isMatched) set('http.route', route);
  if (sentStatus !== undefined) set('http.response.status_code', sentStatus);
  if (errorType !== '') set('error.type', errorType);
  if (outcome === 'error' || outcome === 'timeout') writeStatus(to, SpanStatusCode.ERROR);
  return { bytes: to.written(), traceIdAt, spanIdAt, startAt, endAts, firstByteAt };
}

function patchDrawn(to: ByteWriter, traceIdAt: number, spanIdAt: number, drawn: DrawnIds): void {
  to.patchInt32(traceIdAt, drawn.trace0);
  to.patchInt32(traceIdAt + 4, drawn.trace1);
  to.patchInt32(traceIdAt + 8, drawn.trace2);
  to.patchInt32(traceIdAt + 12, drawn.trace3);
  to.patchInt32(spanIdAt, drawn.span0);
  to.patchInt32(spanIdAt + 4, drawn.span1);
}

function writeParent(to: ByteWriter, { spanId, traceState }: SpanContext): void {
  to.hex(SPAN.parentSpanId, spanId);
  const state = traceState?.serialize();
  if (state) to.string(SPAN.traceState, state);
}

function addressOf(ip: string): Uint8Array {
  const known = addresses.get(ip);
  if (known !== undefined) return known;
  const made = encodeAttribute('client.address', ip);
  if (addresses.size >= ADDRESSES) addresses.clear();
  addresses.set(ip, made);
  return made;
}

function encodeAttribute(name: string, value: string): Uint8Array {
  const to = new ByteWriter(128);
  writeAttribute(to, SPAN.attributes, name, value);
  return to.written();
}
