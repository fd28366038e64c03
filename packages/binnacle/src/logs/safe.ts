/**
 * Values as JSON can hold them. Whatever a caller hands over (cycles, BigInt, getters that throw, sockets) becomes
 * plain, bounded data with its secrets withheld; nothing here throws, and the caller's objects are left as they are.
 */
import { EventEmitter } from 'node:events';
import { describeThrown, isError } from './exception.ts';
import { isSecretKey, REDACTED } from './redact.ts';
import { type Budget, cleanText, pathOf, stripUrl, textField } from './text.ts';

/** Objects and arrays are followed this deep below a line's field. */
const DEPTH_LIMIT = 8;
/** Keys of an object, and items of an array, that are written. */
const WIDTH_LIMIT = 200;
const NAME_LIMIT = 256;

/** Plain data of a line. */
export type SafeFields = Record<string, unknown>;

/** Containers above the value in hand, to notice cycles. */
type Ancestors = object[];

/** The value of a field as JSON can hold it; undefined where it has none. */
export function toSafe(key: string, value: unknown, budget: Budget): unknown {
  try {
    return safe(key, value, budget, []);
  } catch {
    return '[unreadable]';
  }
}

/** Sets a field by any name: `__proto__` is a name like another in data that came from outside. */
export function setField(target: SafeFields, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

function safe(key: string, value: unknown, budget: Budget, above: Ancestors): unknown {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return value;
    case 'string':
      return isSecretKey(key) ? REDACTED : textField(key, value, budget);
  }
  if (value === null) return null;
  if (isSecretKey(key)) return isCount(key, value) ? value : REDACTED;
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return cleanText(String(value), budget);
    case 'symbol':
      return cleanText(String(value), budget);
    case 'function':
      return `[Function ${cleanText(nameOf(value), budget)}]`;
    default:
      return safeObject(key, value as object, budget, above);
  }
}

/** `user_tokens: 512` is a count, whoever's tokens they are. */
function isCount(key: string, value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && /tokens$/i.test(key);
}

function safeObject(key: string, value: object, budget: Budget, above: Ancestors): unknown {
  if (above.includes(value)) return '[Circular]';
  if (budget.nodes <= 0) return '[cut]';
  budget.nodes -= 1;
  if (Array.isArray(value)) return above.length >= DEPTH_LIMIT ? '[Array]' : safeArray(key, value, budget, above);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const known = knownForm(value, budget);
    if (known !== undefined) return known;
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return safeJson(key, value, toJSON, budget, above);
  if (above.length >= DEPTH_LIMIT) return `[${className(value)}]`;
  if (value instanceof Map) return safeEntries(value.entries(), value.size, budget, [...above, value]);
  if (value instanceof Set) return safeArray(key, firstOf(value), budget, above, value.size);
  return safePlain(value, prototype === Object.prototype || prototype === null, budget, above);
}

/** Classes whose own properties would say too much, or nothing. */
function knownForm(value: object, budget: Budget): unknown {
  if (isError(value)) return describeThrown(value, budget);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return cleanText(stripUrl(value.href), budget);
  if (value instanceof RegExp) return cleanText(String(value), budget);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return `[${className(value)} ${value.byteLength} bytes]`;
  if (isRequestLike(value)) return { method: cleanText(value.method, budget), path: requestPath(value, budget) };
  // Sockets, streams, servers, clients: large, cyclic, and full of headers.
  if (value instanceof EventEmitter || value instanceof EventTarget || value instanceof Promise)
    return `[${className(value)}]`;
  return undefined;
}

function safeJson(key: string, value: object, toJSON: unknown, budget: Budget, above: Ancestors): unknown {
  let json: unknown;
  try {
    json = Reflect.apply(toJSON as () => unknown, value, [key]);
  } catch {
    return `[${className(value)}: toJSON threw]`;
  }
  if (above.length >= DEPTH_LIMIT && typeof json === 'object' && json !== null) return `[${className(value)}]`;
  if (json === value) return safePlain(value, true, budget, above);
  return safe(key, json, budget, [...above, value]);
}

function safeArray(
  key: string,
  items: readonly unknown[],
  budget: Budget,
  above: Ancestors,
  length: number = items.length,
): unknown[] {
  const within = [...above, items];
  const out: unknown[] = [];
  for (let i = 0; i < Math.min(items.length, WIDTH_LIMIT); i++) {
    if (budget.nodes <= 0) break;
    budget.nodes -= 1;
    const item = readItem(items, i);
    out.push(isNamedSecret(key, items, i, above) ? REDACTED : (safe(key, item, budget, within) ?? null));
  }
  if (out.length < length) out.push(`[${length - out.length} items cut]`);
  return out;
}

/** Whether the item before is its name, and a secret one's: in Node's `rawHeaders`, and in lists of `[name, value]`. */
function isNamedSecret(key: string, items: readonly unknown[], index: number, above: Ancestors): boolean {
  if (index % 2 === 0) return false;
  const name = readItem(items, index - 1);
  if (typeof name !== 'string' || !isSecretKey(name)) return false;
  return /headers?$/i.test(key) || (items.length === 2 && Array.isArray(above.at(-1)));
}

/** `{ name: 'cookie', value: '…' }`, as recorders of HTTP write headers. */
function isSecretEntry(entry: object): boolean {
  const { name, key, header } = entry as Readonly<Record<string, unknown>>;
  return [name, key, header].some((word) => typeof word === 'string' && isSecretKey(word));
}

function safePlain(value: object, plain: boolean, budget: Budget, above: Ancestors): unknown {
  const keys = Object.keys(value);
  if (keys.length === 0 && !plain) return `[${className(value)}]`;
  const within = [...above, value];
  const out: SafeFields = {};
  const count = Math.min(keys.length, WIDTH_LIMIT);
  let done = 0;
  for (; done < count && budget.nodes > 0; done++) {
    const key = keys[done] as string;
    budget.nodes -= 1;
    const secret = key === 'value' && isSecretEntry(value);
    setField(out, boundName(key), secret ? REDACTED : readSafe(value, key, budget, within));
  }
  if (done < keys.length) out['…'] = `${keys.length - done} keys cut`;
  return out;
}

function safeEntries(
  entries: Iterable<[unknown, unknown]>,
  size: number,
  budget: Budget,
  within: Ancestors,
): SafeFields {
  const out: SafeFields = {};
  let done = 0;
  for (const [name, value] of entries) {
    if (done >= WIDTH_LIMIT || budget.nodes <= 0) break;
    budget.nodes -= 1;
    const key = boundName(typeof name === 'object' && name !== null ? `[${className(name)}]` : String(name));
    setField(out, key, safe(key, value, budget, within));
    done += 1;
  }
  if (done < size) out['…'] = `${size - done} keys cut`;
  return out;
}

function readSafe(source: object, key: string, budget: Budget, above: Ancestors): unknown {
  try {
    return safe(key, (source as Readonly<Record<string, unknown>>)[key], budget, above);
  } catch {
    return '[unreadable]';
  }
}

function readItem(items: readonly unknown[], index: number): unknown {
  try {
    return items[index];
  } catch {
    return '[unreadable]';
  }
}

function firstOf(set: ReadonlySet<unknown>): unknown[] {
  const out: unknown[] = [];
  for (const item of set) {
    if (out.length >= WIDTH_LIMIT) break;
    out.push(item);
  }
  return out;
}

function boundName(key: string): string {
  return key.length <= NAME_LIMIT ? key : `${key.slice(0, NAME_LIMIT)}…`;
}

function nameOf(value: object): string {
  const { name } = value as { name?: unknown };
  return typeof name === 'string' && name !== '' ? name.slice(0, NAME_LIMIT) : 'anonymous';
}

function className(value: object): string {
  const { constructor: maker } = value as { constructor?: unknown };
  return typeof maker === 'function' ? nameOf(maker) : 'Object';
}

interface RequestLike {
  readonly method: string;
  readonly url: string;
  /** Express cuts `url` down within a mounted router. */
  readonly originalUrl?: unknown;
}

/** Whether a value is a request of Node's, Fastify's, Express' or fetch's. */
export function isRequestLike(value: unknown): value is RequestLike {
  if (typeof value !== 'object' || value === null) return false;
  const { method, url } = value as Partial<RequestLike>;
  return typeof method === 'string' && typeof url === 'string';
}

/** A request's path, without its query. */
export function requestPath({ url, originalUrl }: RequestLike, budget: Budget): string {
  return cleanText(pathOf(typeof originalUrl === 'string' ? originalUrl : url), budget);
}
