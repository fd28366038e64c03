/** SDKs of language models: the instance that is handed over is observed, nothing else. */
import type { StartClientOperation } from '../operation.ts';
import { guard, replace } from './watched.ts';

/** Observes an SDK's client; gives the same instance, with the same types. */
export type ObserveAiClient = <T extends object>(client: T) => T;

/** One SDK: how its client is recognised, and observed. */
export interface AiClientKind {
  /** As it is named to who hands over something else. */
  readonly name: string;
  is(client: object): boolean;
  /** Observes an instance, once. */
  observe(client: object, start: StartClientOperation): void;
}

/** @throws TypeError for what is no client of a known SDK */
export function createAiClients(start: StartClientOperation, kinds: readonly AiClientKind[]): ObserveAiClient {
  const seen = new WeakSet<object>();
  const observe: ObserveAiClient = (client) => {
    const kind = isObject(client) ? kinds.find((each) => each.is(client)) : undefined;
    if (kind === undefined) {
      const known = kinds.map(({ name }) => name).join(', ');
      throw new TypeError(`ai.client() observes ${known}; it was given ${describe(client)}`);
    }
    if (!seen.has(client)) {
      seen.add(client);
      kind.observe(client, start);
      // A copy with other options is another client of the same kind.
      replace<unknown[], unknown>(client, 'withOptions', (original) => (...args) => {
        const copy = original(...args);
        guard(() => void (isObject(copy) && kind.is(copy) && observe(copy)));
        return copy;
      });
    }
    return client;
  };
  return observe;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function describe(value: unknown): string {
  return isObject(value) ? (value.constructor?.name ?? 'an object') : typeof value;
}
