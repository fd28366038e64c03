/** libSQL's synchronous Database (`libsql`), wrapped as an instance. */
import { basename } from 'node:path';
import type { Signals } from '../signals.ts';
import {
  attempt,
  begin,
  type Endpoint,
  hasMethods,
  isThenable,
  type Method,
  type QuietCall,
  replaceMethod,
  statementCall,
  through,
} from './client-instance.ts';

export function isLibsqlDatabase(value: object): boolean {
  return hasMethods(value, 'prepare', 'exec', 'pragma', 'transaction', 'close');
}

/** Makes a database tell of its statements. `pragma()` and `transaction()` are built on the methods wrapped here. */
export function observeLibsql(signals: Signals, database: object, name: string | undefined): void {
  const endpoint: Endpoint = { namespace: name ?? attempt(() => fileOf(database)) };
  const start = (sql: unknown) => begin(signals, () => statementCall('sqlite', sql, endpoint));
  replaceMethod(database, 'exec', (exec) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      return through(start(args[0]), () => Reflect.apply(exec, this, args));
    };
  });
  replaceMethod(database, 'prepare', (prepare) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const [sql] = args;
      const startThis = (): QuietCall | undefined => start(sql);
      const failed = (error: unknown): never => {
        startThis()?.fail(error);
        throw error;
      };
      let statement: unknown;
      try {
        statement = Reflect.apply(prepare, this, args);
      } catch (error) {
        // What cannot be prepared never runs: it is told of here.
        return failed(error);
      }
      if (!isThenable(statement)) return observeStatement(statement, startThis);
      return statement.then((ready) => observeStatement(ready, startThis), failed);
    };
  });
}

type Start = () => QuietCall | undefined;

function observeStatement(statement: unknown, start: Start): unknown {
  if (typeof statement !== 'object' || statement === null) return statement;
  // `all()` reads by `iterate()`.
  let inside = false;
  for (const name of ['run', 'get', 'all']) {
    replaceMethod(statement, name, (method) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const call = start();
        inside = true;
        try {
          return through(call, () => Reflect.apply(method, this, args));
        } finally {
          inside = false;
        }
      };
    });
  }
  replaceMethod(statement, 'iterate', (iterate) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const call = inside ? undefined : start();
      if (call === undefined) return Reflect.apply(iterate, this, args);
      return observeRows(call, () => Reflect.apply(iterate, this, args));
    };
  });
  return statement;
}

/** Rows are read as they are asked for: the call ends with the last one, or when its reader stops. */
function observeRows(call: QuietCall, open: () => unknown): unknown {
  let rows: unknown;
  try {
    rows = open();
  } catch (error) {
    call.fail(error);
    throw error;
  }
  if (typeof rows !== 'object' || rows === null || !hasMethods(rows, 'next')) return through(call, () => rows);
  replaceMethod(rows, 'next', (next) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      let step: unknown;
      try {
        step = Reflect.apply(next, this, args);
      } catch (error) {
        call.fail(error);
        throw error;
      }
      if ((step as IteratorResult<unknown>).done) call.end();
      return step;
    };
  });
  observeReturn(call, rows);
  return rows;
}

/** libSQL's iterators have no `return`, by which a loop that is left would say so. Theirs goes on as before. */
function observeReturn(call: QuietCall, rows: object): void {
  const own: unknown = Reflect.get(rows, 'return');
  const value = function (this: unknown, ...args: unknown[]): unknown {
    call.end();
    return typeof own === 'function' ? Reflect.apply(own as Method, this, args) : { done: true, value: args[0] };
  };
  attempt(() =>
    Object.defineProperty(rows, 'return', { value, writable: true, configurable: true, enumerable: false }),
  );
}

/** The file's name without its folders, which may name people; libSQL itself does not keep it. */
function fileOf(database: object): string | undefined {
  const statement: unknown = Reflect.apply(Reflect.get(database, 'prepare') as Method, database, [
    'PRAGMA database_list',
  ]);
  if (typeof statement !== 'object' || statement === null || !hasMethods(statement, 'all')) return undefined;
  const rows: unknown = Reflect.apply(Reflect.get(statement, 'all') as Method, statement, []);
  if (!Array.isArray(rows)) return undefined;
  const main: unknown = rows.find((row: { name?: unknown }) => row.name === 'main');
  const file: unknown = typeof main === 'object' && main !== null ? Reflect.get(main, 'file') : undefined;
  return typeof file === 'string' && file !== '' ? basename(file) : undefined;
}
