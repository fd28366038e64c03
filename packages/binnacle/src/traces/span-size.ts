/** About how much a span takes: counted once at its end, so that what waits can be bounded by bytes. */
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** Ids, times, kind, status and what frames them, in bytes. */
const SPAN_BYTES = 128;
/** The same of an event and of a link. */
const EVENT_BYTES = 24;
const LINK_BYTES = 48;
/** A number or boolean with its tags. */
const SCALAR_BYTES = 10;
/**
 * Values that are looked at, for one span, where the SDK's own limits allow 33 thousand: 128 attributes, 128 events and
 * 128 links with 128 each. A span with more counts as `BEYOND_BYTES`.
 */
const MOST_VALUES = 40_000;
/** Values within values, where the API allows none. */
const DEEPEST = 8;
/** More than any bound here: a span with so much on it is too large, whatever it is. */
const BEYOND_BYTES = 2 ** 30;

/**
 * An estimate in bytes: lengths of strings, in characters, and a fixed part for everything else. Characters beyond
 * ASCII take up to three bytes each on the wire. The work is bounded, whatever the span carries. Never throws.
 */
export function estimateSpanBytes(span: ReadableSpan): number {
  const estimate = new Estimate();
  estimate.text(span.name);
  estimate.text(span.status.message);
  estimate.attributes(span.attributes);
  for (const { name, attributes } of span.events) {
    if (estimate.isFull) break;
    estimate.bytes += EVENT_BYTES;
    estimate.text(name);
    estimate.attributes(attributes);
  }
  for (const { attributes } of span.links) {
    if (estimate.isFull) break;
    estimate.bytes += LINK_BYTES;
    estimate.attributes(attributes);
  }
  return estimate.isFull ? BEYOND_BYTES : SPAN_BYTES + estimate.bytes;
}

class Estimate {
  bytes = 0;
  #left = MOST_VALUES;

  get isFull(): boolean {
    return this.#left <= 0;
  }

  text(value: unknown): void {
    this.bytes += typeof value === 'string' ? value.length + 4 : 0;
  }

  attributes(attributes: object | undefined, depth = 0): void {
    if (attributes === undefined || attributes === null) return;
    if (depth > DEEPEST) this.#left = 0;
    for (const key in attributes) {
      if (this.isFull) return;
      this.bytes += key.length + 6;
      this.#value((attributes as Record<string, unknown>)[key], depth);
    }
  }

  #value(value: unknown, depth: number): void {
    this.#left -= 1;
    if (typeof value === 'string') this.text(value);
    else if (Array.isArray(value)) this.#list(value, depth + 1);
    else if (ArrayBuffer.isView(value)) this.bytes += value.byteLength;
    else if (typeof value === 'object' && value !== null) this.attributes(value, depth + 1);
    else this.bytes += SCALAR_BYTES;
  }

  /** Of one kind, by the API: numbers need not be looked at one by one. */
  #list(values: readonly unknown[], depth: number): void {
    if (depth > DEEPEST) this.#left = 0;
    if (typeof values[0] === 'number' || typeof values[0] === 'boolean') {
      this.bytes += values.length * SCALAR_BYTES;
      return;
    }
    for (const value of values) {
      if (this.isFull) return;
      this.#value(value, depth);
    }
  }
}
