/** Spans of one batch, already encoded, by scope: what an OTLP request is put together from. */
import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { ByteWriter } from './bytes.ts';
import { writeAttributes, writeSpan } from './otlp-span.ts';

export type Scope = ReadableSpan['instrumentationScope'];
export type Resource = ReadableSpan['resource'];

/** Fields from the request down to a span, by their numbers in the definition. */
const REQUEST = { resourceSpans: 1 } as const;
const RESOURCE_SPANS = { resource: 1, scopeSpans: 2, schemaUrl: 3 } as const;
const RESOURCE = { attributes: 1 } as const;
const SCOPE_SPANS = { scope: 1, spans: 2, schemaUrl: 3 } as const;
/** The field that each span of a scope is. */
export const SPANS_FIELD: number = SCOPE_SPANS.spans;
const SCOPE = { name: 1, version: 2 } as const;

/** Scopes that a batch keeps apart; spans of further ones stand under a scope without a name. */
const SCOPES = 100;
/** A writer's first size, in bytes: some ten spans. */
const FIRST_SIZE = 4096;
/** Bytes that the length of a span takes as a rule. */
export const SPAN_ROOM = 2;

interface ScopeSpans {
  /** The fields of `ScopeSpans` besides its spans. */
  readonly head: Uint8Array;
  readonly spans: ByteWriter;
}

export class SpanBatch {
  /** Spans in it. */
  length = 0;
  /** Bytes of its spans. */
  bytes = 0;
  readonly #resource: Resource;
  readonly #scopes: Map<string, ScopeSpans> = new Map();
  #last: { readonly scope: Scope; readonly spans: ByteWriter } | undefined;

  constructor(resource: Resource) {
    this.#resource = resource;
  }

  /** Encodes a span that has ended. Throws, and stays as it was, where that cannot be. */
  add(span: ReadableSpan): void {
    const to = this.of(span.instrumentationScope);
    const before = to.length;
    try {
      const at = to.begin(SPANS_FIELD, SPAN_ROOM);
      writeSpan(to, span);
      to.end(at, SPAN_ROOM);
    } catch (error) {
      to.length = before;
      throw error;
    }
    this.added(to.length - before);
  }

  /** A span was written to the writer of its scope, as a field `spans` (2) of so many bytes. */
  added(bytes: number): void {
    this.length += 1;
    this.bytes += bytes;
  }

  /** Where spans of a scope are written to. */
  of(scope: Scope): ByteWriter {
    if (this.#last?.scope === scope) return this.#last.spans;
    const { name, version = '', schemaUrl = '' } = this.#scopes.size < SCOPES ? scope : { name: '' };
    const key = `${name}@${version}:${schemaUrl}`;
    let found = this.#scopes.get(key);
    if (found === undefined) {
      found = { head: encodeScope(name, version, schemaUrl), spans: new ByteWriter(FIRST_SIZE) };
      this.#scopes.set(key, found);
    }
    this.#last = { scope, spans: found.spans };
    return found.spans;
  }

  /** Empties it, to be filled again: its writers keep their size. */
  clear(): void {
    this.length = 0;
    this.bytes = 0;
    for (const { spans } of this.#scopes.values()) spans.length = 0;
  }

  /** The whole as `ExportTraceServiceRequest`, in bytes of its own. */
  toRequest(): Uint8Array {
    const to = new ByteWriter(this.bytes + FIRST_SIZE);
    const request = to.begin(REQUEST.resourceSpans);
    const resource = to.begin(RESOURCE_SPANS.resource);
    writeAttributes(to, RESOURCE.attributes, this.#resource.attributes as Attributes);
    to.end(resource);
    for (const { head, spans } of this.#scopes.values()) {
      if (spans.length === 0) continue;
      const at = to.begin(RESOURCE_SPANS.scopeSpans);
      to.raw(head);
      to.raw(spans.written());
      to.end(at);
    }
    if (this.#resource.schemaUrl) to.string(RESOURCE_SPANS.schemaUrl, this.#resource.schemaUrl);
    to.end(request);
    return to.written();
  }
}

/** Spans as requests; one of each resource, which protobuf lets stand one after another. */
export function encodeSpans(spans: readonly ReadableSpan[]): Uint8Array {
  const batches = new Map<Resource, SpanBatch>();
  for (const span of spans) {
    let batch = batches.get(span.resource);
    if (batch === undefined) {
      batch = new SpanBatch(span.resource);
      batches.set(span.resource, batch);
    }
    batch.add(span);
  }
  const requests = [...batches.values()].map((batch) => batch.toRequest());
  return requests.length === 1 ? (requests[0] as Uint8Array) : Buffer.concat(requests);
}

function encodeScope(name: string, version: string, schemaUrl: string): Uint8Array {
  const to = new ByteWriter(256);
  const at = to.begin(SCOPE_SPANS.scope);
  to.string(SCOPE.name, name);
  if (version !== '') to.string(SCOPE.version, version);
  to.end(at);
  if (schemaUrl !== '') to.string(SCOPE_SPANS.schemaUrl, schemaUrl);
  return to.written();
}
