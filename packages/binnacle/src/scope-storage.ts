/**
 * Where the scope in hand is kept for all that a piece of work starts. Node 24 and later do that by themselves, as good as
 * free (`AsyncContextFrame`). Before, `AsyncLocalStorage` has a hook of JavaScript called for each asynchronous resource;
 * it is most of what a request or an event of a stream costs more. So there is a hook of our own there, which does the
 * same by the same means and remembers what it found last.
 * Source: https://github.com/nodejs/node/blob/v20.x/lib/async_hooks.js (`AsyncLocalStorage`, `storageHook`)
 */
import { AsyncLocalStorage, createHook, executionAsyncId, executionAsyncResource } from 'node:async_hooks';
import process, { versions } from 'node:process';

export interface ScopeStorage<S extends object> {
  /** What is in hand, or undefined. */
  get(): S | undefined;
  /** Runs `work` with `scope` in hand, which all that it starts keeps. */
  run<T>(scope: S, work: () => T): T;
  /** The same of a method, with no function made for it. */
  apply<A extends unknown[], R>(scope: S, method: (...args: A) => R, target: unknown, args: A): R;
}

/** The first major version of Node.js whose own storage needs no hook. */
const WITHOUT_HOOKS = 24;

export function createScopeStorage<S extends object>(): ScopeStorage<S> {
  return Number.parseInt(versions.node, 10) < WITHOUT_HOOKS ? new HookedStorage() : new NodeStorage();
}

/** Node's own. */
export class NodeStorage<S extends object> implements ScopeStorage<S> {
  readonly #storage = new AsyncLocalStorage<S>();

  get(): S | undefined {
    return this.#storage.getStore();
  }

  run<T>(scope: S, work: () => T): T {
    return this.#storage.run(scope, work);
  }

  apply<A extends unknown[], R>(scope: S, method: (...args: A) => R, target: unknown, args: A): R {
    return this.#storage.run(scope, Reflect.apply as () => R, ...([method, target, args] as unknown as []));
  }
}

/** A scope lies on the asynchronous resource whose work it is; each that is made takes over its maker's. */
export class HookedStorage<S extends object> implements ScopeStorage<S> {
  /** As Node's own name, since it shows where a promise is inspected. */
  readonly #key: symbol = Symbol('kResourceStore');
  #isEnabled = false;
  /** The resource that was asked last, by its id, and what lies on it: within one turn, the same is asked again and again. */
  #lastId = -1;
  #resource: Holder<S> = {};
  #scope: S | undefined;

  get(): S | undefined {
    if (!this.#isEnabled) return undefined;
    if (executionAsyncId() !== this.#lastId) this.#look();
    return this.#scope;
  }

  run<T>(scope: S, work: () => T): T {
    return this.apply(scope, work, undefined, []);
  }

  apply<A extends unknown[], R>(scope: S, method: (...args: A) => R, target: unknown, args: A): R {
    const before = this.#enter(scope);
    const resource = this.#resource;
    const id = this.#lastId;
    try {
      return Reflect.apply(method, target, args);
    } finally {
      this.#leave(resource, id, before);
    }
  }

  /** Gives what was in hand before. */
  #enter(scope: S): S | undefined {
    if (!this.#isEnabled) this.#enable();
    const before = this.get();
    if (before !== scope) {
      this.#resource[this.#key] = scope;
      this.#scope = scope;
    }
    return before;
  }

  #leave(resource: Holder<S>, id: number, before: S | undefined): void {
    resource[this.#key] = before;
    if (id !== this.#lastId) return;
    this.#scope = before;
  }

  #look(): void {
    const id = executionAsyncId();
    this.#resource = executionAsyncResource() as Holder<S>;
    this.#scope = this.#resource[this.#key];
    // Outside of any resource there may be several by one number, which is asked each time.
    this.#lastId = id > 1 ? id : -1;
  }

  #enable(): void {
    this.#isEnabled = true;
    const key = this.#key;
    let isFirst = true;
    const init = (_id: number, type: string, _trigger: number, made: object): void => {
      const resource = made as Holder<S>;
      const scope = this.get();
      // Those that are made most apart from each other, since V8 writes fast where what it writes to is always of one kind.
      if (type === 'TickObject') {
        if (scope !== undefined || isFirst) resource[key] = scope;
      } else if (type === 'PROMISE') {
        if (scope !== undefined || isFirst) resource[key] = scope;
      } else if (type === 'Immediate') {
        if (scope !== undefined || isFirst) resource[key] = scope;
      } else if (type === 'Timeout') {
        // It may be started again, as by `refresh`, and hold what it held the time before.
        resource[key] = scope;
      } else {
        // One of another kind may be used again too.
        resource[key] = scope;
      }
    };
    createHook({ init }).enable();
    makeOneOfEach();
    isFirst = false;
  }
}

/**
 * V8 remembers what class of object lies on a kind of resource, and writes slowly for good once one of another class
 * does: on the first of each kind lies none.
 */
function makeOneOfEach(): void {
  const nothing = (): void => {};
  process.nextTick(nothing);
  void Promise.resolve();
  clearImmediate(setImmediate(nothing));
  clearTimeout(setTimeout(nothing));
}

type Holder<S> = Record<symbol, S | undefined>;
