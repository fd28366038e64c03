/** One query of postgres.js, told of from the moment somebody waits for it. */
import { attempt, type Method, type QuietCall, replaceMethod } from './client-instance.ts';
import { summarize } from './sql.ts';

/** postgres.js's Query: a promise that holds its parts. Within another one it is a fragment, and never runs. */
interface Query {
  readonly strings: readonly string[];
  readonly args: readonly unknown[];
  readonly executed: unknown;
  /** The text that was sent; known once it has been. */
  readonly string?: unknown;
}

/** Fragments within fragments that are followed. */
const MAX_DEPTH = 16;

/** Watches what `sql` made, if it is a query; helpers and identifiers pass. */
export function observePostgresQuery(
  made: unknown,
  start: (text: string) => QuietCall | undefined,
  onFailure: (error: unknown) => void,
): unknown {
  if (!isQuery(made)) return made;
  replaceMethod(made, 'handle', (handle) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      if (!made.executed) attempt(() => watch(made, start(textOf(made, { next: 1 }, 0)), onFailure));
      return Reflect.apply(handle, this, args);
    };
  });
  return made;
}

/** Where the host wrote its statements, by what postgres.js knows them by. */
const origins = new WeakMap<object, { stack?: string }>();

/**
 * postgres.js notes where a statement was written: the nearest four calls, of which ours would be one. It is noted anew
 * without them, once a statement.
 * @param below the function that the host has called
 */
export function keepOrigin(made: unknown, below: object): void {
  if (!isQuery(made) || !('raw' in made.strings)) return;
  const [key] = Object.getOwnPropertySymbols(made).filter((symbol) => symbol.description === 'OriginError');
  const handler: unknown = Reflect.get(made, 'handler');
  const debug = typeof handler === 'function' && Boolean(Reflect.get(handler, 'debug'));
  if (key === undefined || debug) return;
  let origin = origins.get(made.strings);
  if (origin === undefined) {
    origin = new Error();
    Error.captureStackTrace(origin, below as () => void);
    origins.set(made.strings, origin);
  }
  Reflect.set(made, key, origin);
}

function isQuery(value: unknown): value is Query {
  if (!(value instanceof Promise)) return false;
  return Array.isArray(Reflect.get(value, 'strings')) && Array.isArray(Reflect.get(value, 'args'));
}

/** postgres.js settles a query by its own two functions; a cursor's reader sets new ones with each step. */
function watch(query: Query, call: QuietCall | undefined, onFailure: (error: unknown) => void): void {
  const sent = (): Record<string, string> | undefined => {
    return attempt(() =>
      typeof query.string === 'string' ? { 'db.query.text': summarize(query.string).text } : undefined,
    );
  };
  before(query, 'resolve', () => call?.end(sent()));
  before(query, 'reject', (error) => {
    onFailure(error);
    call?.fail(error, sent());
  });
}

/** Calls `listener` before whatever function the property holds when it is called. */
function before(query: Query, name: 'resolve' | 'reject', listener: (value: unknown) => void): void {
  let current: unknown = Reflect.get(query, name);
  const method = function (this: unknown, ...args: unknown[]): unknown {
    listener(args[0]);
    return Reflect.apply(current as Method, this, args);
  };
  Object.defineProperty(query, name, {
    get: () => method,
    set: (value: unknown) => {
      current = value;
    },
    enumerable: true,
    configurable: true,
  });
}

/** The statement as it will be sent, but for helpers (`sql(rows)`), whose columns postgres.js writes later. */
function textOf(query: Query, parameters: { next: number }, depth: number): string {
  if (depth > MAX_DEPTH) return '';
  let text = query.strings[0] ?? '';
  for (let at = 1; at < query.strings.length; at += 1) {
    text += partOf(query.args[at - 1], parameters, depth) + query.strings[at];
  }
  return text;
}

function partOf(value: unknown, parameters: { next: number }, depth: number): string {
  if (isQuery(value)) return textOf(value, parameters, depth + 1);
  if (Array.isArray(value) && isQuery(value[0])) {
    return value.map((one) => (isQuery(one) ? ` ${textOf(one, parameters, depth + 1)}` : '')).join('');
  }
  return identifierOf(value) ?? (isHelper(value) ? '?' : `$${parameters.next++}`);
}

/** `sql('name')`: of a class of postgres.js' own, with nothing but a quoted name. */
function identifierOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) === Object.prototype)
    return undefined;
  const keys = Object.keys(value);
  const name: unknown = keys.length === 1 && keys[0] === 'value' ? Reflect.get(value, 'value') : undefined;
  return typeof name === 'string' && /^".*"$/s.test(name) && 'finally' in value ? name : undefined;
}

function isHelper(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'first' in value && 'rest' in value && 'finally' in value;
}
