/** Databases whose libraries tell nobody what they do: the instance that is handed over is observed, nothing else. */
import type { Signals } from '../signals.ts';
import { isLibsqlDatabase, observeLibsql } from './libsql.ts';
import { isLibsqlClient, observeLibsqlClient } from './libsql-client.ts';
import { createPgObserver, isPgClient, isPgPool } from './pg.ts';
import { isPostgresSql, observePostgres } from './postgres.ts';

export interface ClientOptions {
  /** `db.namespace` of databases that do not tell their name (`@libsql/client`), or that are not to be asked for it. */
  readonly name?: string;
}

/**
 * Observes a client: each of its statements becomes a span and a value of `db_client_operation_duration_seconds`.
 * Give it a `pg` Pool or Client, the `sql` of `postgres`, a `libsql` Database, or a Client of `@libsql/client`, and use
 * what it returns: the same instance, or for `postgres` one that stands for it. Handing one over twice changes nothing.
 * @throws TypeError for anything else
 */
export type ObserveClient = <T extends object>(instance: T, options?: ClientOptions) => T;

const SUPPORTED =
  'a Pool or Client of "pg", the sql function of "postgres", a Database of "libsql", or a Client of "@libsql/client"';

export function createClients(signals: Signals): ObserveClient {
  const seen = new WeakSet<object>();
  const pg = createPgObserver(signals, seen);
  /** What stands for an instance, where that is another object. */
  const standIns = new WeakMap<object, object>();
  return (instance, options = {}) => {
    const { name } = options;
    const given: unknown = instance;
    if (typeof given !== 'function' && (typeof given !== 'object' || given === null)) throw unknownClient(given);
    if (isPostgresSql(instance)) {
      if (seen.has(instance)) return instance;
      const standIn = (standIns.get(instance) as typeof instance) ?? observePostgres(signals, instance, name);
      standIns.set(instance, standIn);
      seen.add(standIn);
      return standIn;
    }
    if (isPgPool(instance)) pg.pool(instance, name);
    else if (isPgClient(instance)) pg.client(instance, name);
    else if (!isLibsqlDatabase(instance) && !isLibsqlClient(instance)) throw unknownClient(instance);
    else if (!seen.has(instance)) {
      seen.add(instance);
      if (isLibsqlDatabase(instance)) observeLibsql(signals, instance, name);
      else observeLibsqlClient(signals, instance, name);
    }
    return instance;
  };
}

function unknownClient(instance: unknown): TypeError {
  const maker = typeof instance === 'object' && instance !== null ? instance.constructor?.name : undefined;
  return new TypeError(`client() observes ${SUPPORTED}; it was given ${maker ?? typeof instance}`);
}
