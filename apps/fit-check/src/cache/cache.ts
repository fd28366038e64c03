/** What a cache of the service does, wherever it keeps things: bounded, and never a reason for a request to fail. */

export interface Cache<V> {
  /** What is kept under a key, or undefined. Never rejects: a cache that cannot be asked has nothing. */
  get(key: string): Promise<V | undefined>;
  /** The same without counting a look-up, for who asks again and again; rejects where the cache cannot be asked. */
  peek(key: string): Promise<V | undefined>;
  /** Keeps a value; resolves once others can find it, or could not be told. Never rejects. */
  set(key: string, value: V): Promise<void>;
  /** True while what other instances keep is out of reach. */
  readonly degraded: boolean;
}

export interface CacheLimits {
  /** Values kept in the process. */
  readonly entries: number;
  /** How long a value is of use, in milliseconds. */
  readonly ttlMs: number;
}

/** A store as its look-ups are counted: `get` rejects where the shared part of it failed. */
export interface CountedStore<V> {
  get(key: string): Promise<V | undefined>;
  set(key: string, value: V): Promise<void>;
  readonly size: number;
}
