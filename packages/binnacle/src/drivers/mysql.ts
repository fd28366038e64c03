/** Statements of mysql2, by its channels, which there are from 3.20. */
import type { Context } from '@opentelemetry/api';
import { activeContext } from '../context.ts';
import type { Signals } from '../signals.ts';
import { type Call, startDatabaseCall } from './call.ts';
import { listen, type Message, numberOf, textOf } from './channels.ts';
import { createHostWatch } from './host-wrapper.ts';
import { summarize } from './sql.ts';

/** Who asked for a connection, and where the answer arrived. */
interface Handover {
  readonly asker: Context | undefined;
  readonly arrival: Context;
}

/** Observes every connection from now on; what it returns ends that. A statement prepared by hand is not told of. */
export function observeMysql(signals: Signals): () => void {
  const calls = new WeakMap<object, Call>();
  const pool = followPools();
  const isHosts = createHostWatch(signals);
  const begin = (message: Message): void => {
    const { query, database, serverAddress, serverPort } = message;
    if (typeof query !== 'string') return;
    const info = {
      ...summarize(query, 'mysql'),
      system: 'mysql',
      namespace: textOf(database),
      address: textOf(serverAddress),
      port: numberOf(serverPort),
    };
    const call = startDatabaseCall(signals, info, pool.caller(), isHosts());
    if (call !== undefined) calls.set(message, call);
  };
  const fail = (message: Message): void => calls.get(message)?.fail(message.error);
  const end = (message: Message): void => calls.get(message)?.end();
  const stop = listen({
    'tracing:mysql2:query:start': begin,
    'tracing:mysql2:query:error': fail,
    'tracing:mysql2:query:asyncStart': end,
    'tracing:mysql2:execute:start': begin,
    'tracing:mysql2:execute:error': fail,
    'tracing:mysql2:execute:asyncStart': end,
    ...pool.listeners,
  });
  return stop;
}

/**
 * A pool that is used up hands a connection to who waits for it from within the request that gives it back, and so in
 * the wrong context: the statement would be that request's. Who asked is noted, and stands while the connection is
 * handed over, which is synchronous.
 */
function followPools(): { caller(): Context; listeners: Parameters<typeof listen>[0] } {
  const askers = new WeakMap<object, Context>();
  const handovers: Handover[] = [];
  return {
    caller() {
      const active = activeContext();
      const { asker, arrival } = handovers.at(-1) ?? {};
      // A context that was entered since then is its caller's own.
      return asker !== undefined && active === arrival ? asker : active;
    },
    listeners: {
      'tracing:mysql2:pool:connect:start': (message) => void askers.set(message, activeContext()),
      'tracing:mysql2:pool:connect:asyncStart': (message) =>
        void handovers.push({ asker: askers.get(message), arrival: activeContext() }),
      'tracing:mysql2:pool:connect:asyncEnd': () => void handovers.pop(),
    },
  };
}
