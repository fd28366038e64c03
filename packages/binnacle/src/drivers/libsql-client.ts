/** libSQL's asynchronous client (`@libsql/client`), over files, HTTP and WebSocket, wrapped as an instance. */
import type { Signals } from '../signals.ts';
import type { DatabaseCall } from './call.ts';
import {
  begin,
  type Endpoint,
  hasMethods,
  isThenable,
  type QuietCall,
  replaceMethod,
  statementCall,
  through,
} from './client-instance.ts';
import { summarize } from './sql.ts';

const SYSTEM = 'sqlite';
/** Statements of a batch that are looked at. */
const MAX_LOOKED_AT = 100;
const MAX_TEXT = 2000;

export function isLibsqlClient(value: object): boolean {
  return hasMethods(value, 'execute', 'batch', 'transaction', 'executeMultiple', 'close');
}

/** Makes a client, and the transactions that it opens, tell of their statements. */
export function observeLibsqlClient(signals: Signals, client: object, name: string | undefined): void {
  const endpoint: Endpoint = { namespace: name };
  const statement = (sql: unknown) => begin(signals, () => statementCall(SYSTEM, sql, endpoint));
  observeStatements(signals, client, endpoint);
  replaceMethod(client, 'transaction', (open) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const result = inside(statement('BEGIN'), () => Reflect.apply(open, this, args));
      return isThenable(result) ? result.then(observeTransaction) : result;
    };
  });
  const observeTransaction = (transaction: unknown): unknown => {
    if (typeof transaction !== 'object' || transaction === null) return transaction;
    observeStatements(signals, transaction, endpoint);
    for (const ending of ['commit', 'rollback']) {
      replaceMethod(transaction, ending, (end) => {
        return function (this: unknown, ...args: unknown[]): unknown {
          // A transaction that has ended is asked nothing any more.
          const call = Reflect.get(transaction, 'closed') ? undefined : statement(ending.toUpperCase());
          return inside(call, () => Reflect.apply(end, this, args));
        };
      });
    }
    return transaction;
  };
}

function observeStatements(signals: Signals, target: object, endpoint: Endpoint): void {
  const observe = (name: string, describe: (first: unknown) => DatabaseCall): void => {
    replaceMethod(target, name, (method) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const call = begin(signals, () => describe(args[0]));
        return inside(call, () => Reflect.apply(method, this, args));
      };
    });
  };
  observe('execute', (first) => statementCall(SYSTEM, sqlOf(first), endpoint));
  observe('executeMultiple', (first) => statementCall(SYSTEM, first, endpoint));
  for (const name of ['batch', 'migrate']) observe(name, (first) => batchCall(first, endpoint));
}

/** Over HTTP, what is sent belongs to the call. */
function inside(call: QuietCall | undefined, work: () => unknown): unknown {
  return through(call, call === undefined ? work : () => call.run(work));
}

/** By the conventions: `BATCH INSERT` where all do the same, else `BATCH`; a batch of one is that one. */
function batchCall(statements: unknown, endpoint: Endpoint): DatabaseCall {
  if (!Array.isArray(statements)) return statementCall(SYSTEM, '', endpoint);
  if (statements.length === 1) return statementCall(SYSTEM, sqlOf(statements[0]), endpoint);
  const all = statements.slice(0, MAX_LOOKED_AT).map((statement) => summarize(String(sqlOf(statement)), SYSTEM));
  const [first] = all;
  const sameOperation = all.every(({ operation }) => operation === first?.operation);
  const sameCollection = all.every(({ collection }) => collection === first?.collection);
  const text = all.map((summary) => summary.text).join('; ');
  return {
    system: SYSTEM,
    operation: first !== undefined && sameOperation ? `BATCH ${first.operation}` : 'BATCH',
    collection: sameCollection ? first?.collection : undefined,
    text: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text || undefined,
    batchSize: statements.length,
    ...endpoint,
  };
}

/** A statement as text, as `{ sql, args }`, or as `[sql, args]`. */
function sqlOf(statement: unknown): unknown {
  if (Array.isArray(statement)) return statement[0];
  return typeof statement === 'object' && statement !== null ? Reflect.get(statement, 'sql') : statement;
}
