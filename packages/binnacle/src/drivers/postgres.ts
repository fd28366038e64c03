/**
 * postgres.js (`postgres`): its `sql` is a function, so that it is stood for by a Proxy. Queries are promises that run
 * when somebody waits for them; each is told of from then on, on the instance itself.
 */
import type { Signals } from '../signals.ts';
import { attempt, begin, type Endpoint, isThenable, type Method, statementCall, through } from './client-instance.ts';
import { keepOrigin, observePostgresQuery } from './postgres-query.ts';

export function isPostgresSql(value: object): boolean {
  if (typeof value !== 'function') return false;
  const options: unknown = Reflect.get(value, 'options');
  const functions = ['unsafe', 'begin', 'end'].every((name) => typeof Reflect.get(value, name) === 'function');
  return functions && typeof options === 'object' && options !== null && 'host' in options;
}

/** Failures of one transaction that are told apart. */
const MAX_FAILURES = 100;

/** Gives what stands for `sql`. */
export function observePostgres<T extends object>(signals: Signals, sql: T, name: string | undefined): T {
  const endpoint = attempt(() => endpointOf(sql, name)) ?? {};
  return standFor({ signals, endpoint }, sql);
}

interface Database {
  readonly signals: Signals;
  readonly endpoint: Endpoint;
}

/** A transaction, or a part of one: a statement that failed undoes it, even where its error was caught. */
interface Part {
  readonly failures: Set<unknown>;
}

function standFor<T extends object>(database: Database, sql: T, part?: Part): T {
  const { signals, endpoint } = database;
  const start = (text: unknown) => begin(signals, () => statementCall('postgresql', text, endpoint));
  const onFailure = (error: unknown): void => {
    if (part !== undefined && part.failures.size < MAX_FAILURES) part.failures.add(error);
  };
  const observe = (made: unknown): unknown => observePostgresQuery(made, start, onFailure);
  /** What is done in the place of its functions; the others are its own. */
  const instead: Readonly<Record<string, (run: (args: unknown[]) => unknown, args: unknown[]) => unknown>> = {
    unsafe: (run, args) => observe(run(args)),
    file: (run, args) => observe(run(args)),
    notify: (run, args) => through(start('select pg_notify($1, $2)'), () => run(args)),
    begin: (run, args) => observePart(database, WHOLE, run, args),
    savepoint: (run, args) => observePart(database, SAVEPOINT, run, args),
    reserve(run, args) {
      const reserved = run(args);
      return isThenable(reserved) ? reserved.then((one) => standForInner(database, one)) : reserved;
    },
  };
  const apply = (target: T, self: unknown, args: unknown[]): unknown => {
    const made: unknown = Reflect.apply(target as Method, self, args);
    attempt(() => keepOrigin(made, apply));
    return observe(made);
  };
  const replaced = new Map<string, Method>();
  return new Proxy(sql, {
    apply,
    get(target, key) {
      const original: unknown = Reflect.get(target, key);
      const act = typeof key === 'string' && Object.hasOwn(instead, key) ? instead[key] : undefined;
      if (act === undefined || typeof key !== 'string' || typeof original !== 'function') return original;
      const known = replaced.get(key);
      if (known !== undefined) return known;
      const method: Method = (...args) => act((given) => Reflect.apply(original, sql, given), args);
      replaced.set(key, method);
      return method;
    },
  });
}

/** The `sql` of a transaction, or of a connection that was set apart. */
function standForInner(database: Database, sql: unknown, part?: Part): unknown {
  return typeof sql === 'function' ? standFor(database, sql, part) : sql;
}

/** The statements that postgres.js sends by itself around the host's function. */
interface Around {
  readonly first: string;
  /** After what went well; a savepoint is left as it is. */
  readonly last?: string;
  readonly undo: string;
}

const WHOLE: Around = { first: 'BEGIN', last: 'COMMIT', undo: 'ROLLBACK' };
const SAVEPOINT: Around = { first: 'SAVEPOINT', undo: 'ROLLBACK TO SAVEPOINT' };

/**
 * A transaction, or a part of one. The first of its own statements has run when the host's function is called; the last
 * one runs from that function's end to the end of it all.
 */
function observePart(database: Database, around: Around, run: (args: unknown[]) => unknown, args: unknown[]): unknown {
  const at = args.findIndex((arg) => typeof arg === 'function');
  const work = args[at];
  if (typeof work !== 'function') return run(args);
  const start = (text: string) => begin(database.signals, () => statementCall('postgresql', text, database.endpoint));
  const part: Part = { failures: new Set() };
  let over = false;
  let call = start(around.first);
  const ended = (failed: boolean): void => {
    const text = failed || part.failures.size > 0 ? around.undo : around.last;
    // It may be over before the host's function is: its connection was lost.
    if (!over && text !== undefined) call = start(text);
  };
  args[at] = (inner: unknown): unknown => {
    call?.end();
    call = undefined;
    return watchWork(() => Reflect.apply(work, undefined, [standForInner(database, inner, part)]), part, ended);
  };
  const finish = (error?: unknown): void => {
    over = true;
    // It rejects with what it was undone for: undoing it went well.
    if (error === undefined || part.failures.has(error)) call?.end();
    else call?.fail(error);
  };
  return through({ end: () => finish(), fail: finish, run: (inside) => inside() }, () => run(args));
}

function watchWork(work: () => unknown, part: Part, ended: (failed: boolean) => void): unknown {
  const failed = (error: unknown): void => {
    part.failures.add(error);
    ended(true);
  };
  try {
    const result: unknown = work();
    // Beside the promise: postgres.js waits for it too, so that its rejection is handled there.
    const done = Array.isArray(result) ? Promise.all(result) : Promise.resolve(result);
    done.then(() => ended(false), failed);
    return result;
  } catch (error) {
    failed(error);
    throw error;
  }
}

function endpointOf(sql: object, name: string | undefined): Endpoint {
  const options = Reflect.get(sql, 'options') as Readonly<Record<string, unknown>>;
  const first = (value: unknown): unknown =>
    Array.isArray(value) ? (value.length === 1 ? value[0] : undefined) : value;
  const [host, port, path] = [first(options.host), first(options.port), options.path];
  const socket = typeof path === 'string' && path !== '';
  return {
    namespace: typeof options.database === 'string' && options.database !== '' ? options.database : name,
    address: socket ? path : typeof host === 'string' ? host : undefined,
    port: !socket && typeof port === 'number' ? port : undefined,
  };
}
