/** node-postgres (`pg`): its clients and pools, wrapped as instances. */
import { AsyncResource } from 'node:async_hooks';
import type { Signals } from '../signals.ts';
import {
  attempt,
  begin,
  type Endpoint,
  hasMethods,
  isWrappedByHost,
  type Method,
  type QuietCall,
  replaceMethod,
  statementCall,
  through,
} from './client-instance.ts';
import { endpointOfClient, endpointOfPool } from './pg-endpoint.ts';

/** Makes instances tell of their statements, each instance once. */
export interface PgObserver {
  client(instance: object, name: string | undefined): void;
  pool(instance: object, name: string | undefined): void;
}

export function isPgPool(value: object): boolean {
  return hasMethods(value, 'query', 'connect', 'on') && typeof Reflect.get(value, 'totalCount') === 'number';
}

export function isPgClient(value: object): boolean {
  const parameters: unknown = Reflect.get(value, 'connectionParameters');
  return hasMethods(value, 'query', 'connect', 'end') && typeof parameters === 'object' && parameters !== null;
}

/** What pg-pool does by itself within one `pool.query()`: its own query on a client is no second statement. */
interface Within {
  /** The pool asks for a client, in this very turn. */
  connecting: boolean;
  /** The pool hands its statement to a client, in this very turn. */
  dispatching: boolean;
}

export function createPgObserver(signals: Signals, seen: WeakSet<object>): PgObserver {
  const within: Within = { connecting: false, dispatching: false };
  const client: PgObserver['client'] = (instance, name) => {
    if (seen.has(instance)) return;
    seen.add(instance);
    const endpoint = attempt(() => endpointOfClient(instance, name)) ?? {};
    const hosts = isWrappedByHost(Reflect.get(instance, 'query'));
    const start: Start = (config) => begin(signals, () => statementCall('postgresql', textOf(config), endpoint), hosts);
    replaceMethod(instance, 'query', (query) => observeClientQuery(query, start, within), hosts);
  };
  const pool: PgObserver['pool'] = (instance, name) => {
    if (seen.has(instance)) return;
    seen.add(instance);
    const hosts = isHosts(instance);
    let endpoint: Endpoint = attempt(() => endpointOfPool(instance, name)) ?? {};
    const meet = (found: object): void => {
      endpoint = attempt(() => endpointOfClient(found, name)) ?? endpoint;
      client(found, name);
    };
    const start: Start = (config) => begin(signals, () => statementCall('postgresql', textOf(config), endpoint), hosts);
    replaceMethod(instance, 'query', (query) => observePoolQuery(query, start, within), hosts);
    replaceMethod(instance, 'connect', (connect) => observeConnect(connect, within), hosts);
    // Before the host's own listeners, which may set a new connection up with statements.
    const on = Reflect.get(instance, hasMethods(instance, 'prependListener') ? 'prependListener' : 'on') as Method;
    for (const event of ['connect', 'acquire']) {
      attempt(() => Reflect.apply(on, instance, [event, (found: object) => void attempt(() => meet(found))]));
    }
  };
  return { client, pool };
}

/** The host's own instrumentation wraps the class of the clients: theirs are the spans then, and ours the durations. */
function isHosts(pool: object): boolean {
  const prototype: unknown = attempt(() => Reflect.get(Reflect.get(pool, 'Client') as object, 'prototype'));
  const query = typeof prototype === 'object' && prototype !== null ? Reflect.get(prototype, 'query') : undefined;
  return [query, Reflect.get(pool, 'query'), Reflect.get(pool, 'connect')].some(isWrappedByHost);
}

type Start = (config: unknown) => QuietCall | undefined;

function observeClientQuery(query: Method, start: Start, within: Within): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [config] = args;
    const run = (): unknown => Reflect.apply(query, this, args);
    if (within.dispatching || config === undefined || config === null) return run();
    if (typeof config === 'object' && hasMethods(config, 'submit')) return submit(config, start, run);
    const call = start(config);
    if (call === undefined) return run();
    const at = callbackAt(args);
    const own: unknown = at === undefined && typeof config === 'object' ? Reflect.get(config, 'callback') : undefined;
    if (at === undefined && typeof own !== 'function') return settleBy(call, run);
    const callback = (at === undefined ? own : args[at]) as Method;
    // As the third argument it stands above the one in `config`, which is the host's to keep.
    while (args.length < 2) args.push(undefined);
    args[at ?? 2] = settling(call, callback, within);
    return throwing(call, run);
  };
}

/** The span covers the wait for a connection. */
function observePoolQuery(query: Method, start: Start, within: Within): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const run = (): unknown => {
      const before = within.connecting;
      within.connecting = true;
      try {
        return Reflect.apply(query, this, args);
      } finally {
        within.connecting = before;
      }
    };
    if (typeof args[0] === 'function') return Reflect.apply(query, this, args);
    const call = start(args[0]);
    const at = callbackAt(args);
    if (at === undefined) return call === undefined ? run() : settleBy(call, run);
    args[at] = settling(call, args[at] as Method, within);
    return throwing(call, run);
  };
}

function observeConnect(connect: Method, within: Within): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [callback] = args;
    if (typeof callback === 'function') {
      args[0] = within.connecting ? dispatching(callback as Method, within) : AsyncResource.bind(callback as Method);
    }
    return Reflect.apply(connect, this, args);
  };
}

/** pg-pool's own callback: with a client in hand, it queries at once. */
function dispatching(callback: Method, within: Within): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    if (args[1] === undefined) return Reflect.apply(callback, this, args);
    const before = within.dispatching;
    within.dispatching = true;
    try {
      return Reflect.apply(callback, this, args);
    } finally {
      within.dispatching = before;
    }
  };
}

/** The host's callback, which ends the call first, and runs where the host made the call. */
function settling(call: QuietCall | undefined, callback: Method, within: Within): Method {
  return AsyncResource.bind(function (this: unknown, ...args: unknown[]): unknown {
    const [error] = args;
    if (error === undefined || error === null) call?.end();
    else call?.fail(meaningOf(error));
    const before = { ...within };
    Object.assign(within, { connecting: false, dispatching: false });
    try {
      return Reflect.apply(callback, this, args);
    } finally {
      Object.assign(within, before);
    }
  });
}

/** Query objects, cursors and streams of rows: pg tells them of an error, and of the end. */
function submit(query: object, start: Start, run: () => unknown): unknown {
  if (!hasMethods(query, 'handleError', 'handleReadyForQuery')) return run();
  const call = start(query);
  if (call === undefined) return run();
  replaceMethod(query, 'handleError', (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      call.fail(meaningOf(args[0]));
      return Reflect.apply(original, this, args);
    };
  });
  replaceMethod(query, 'handleReadyForQuery', (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      try {
        // A row that could not be read is told of as an error in here.
        return Reflect.apply(original, this, args);
      } finally {
        call.end();
      }
    };
  });
  return throwing(call, run);
}

function throwing(call: QuietCall | undefined, run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    call?.fail(meaningOf(error));
    throw error;
  }
}

function settleBy(call: QuietCall, run: () => unknown): unknown {
  return through({ ...call, fail: (error) => call.fail(meaningOf(error)) }, run);
}

/** Where the callback stands among the arguments; the last of them counts for pg. */
function callbackAt(args: readonly unknown[]): 1 | 2 | undefined {
  if (typeof args[2] === 'function') return 2;
  return typeof args[1] === 'function' && !args[2] ? 1 : undefined;
}

function textOf(config: unknown): unknown {
  return typeof config === 'object' && config !== null ? Reflect.get(config, 'text') : config;
}

/** pg tells its own troubles by message alone. The messages are fixed: they hold no values. */
function meaningOf(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'Error' || 'code' in error) return error;
  if (/^(?:Query read timeout|timeout e|Connection terminated due to connection timeout)/.test(error.message)) {
    return { name: 'TimeoutError' };
  }
  const closed = /^(?:Connection terminated|Client (?:was closed|has encountered)|Cannot use a pool after)/;
  return closed.test(error.message) ? { name: 'ConnectionError' } : error;
}
