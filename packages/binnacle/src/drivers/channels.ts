/** Listening to Node's diagnostics channels without ever hurting who publishes on them. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** What is published, of which nothing is known for sure: libraries change what they tell. */
export type Message = Readonly<Record<string, unknown>>;

/** Hears what is published on a channel. */
export type Listener = (message: Message) => void;

/**
 * Listens to channels by name; what it returns ends that. A listener that throws is silent: Node would make an uncaught
 * exception of it, and a service must not end by what is told of it.
 */
export function listen(listeners: Readonly<Record<string, Listener>>): () => void {
  const subscribed = Object.entries(listeners).map(([name, listener]) => {
    const guarded = guard((message: unknown) => {
      if (isObject(message)) listener(message);
    });
    subscribe(name, guarded);
    return { name, guarded };
  });
  return () => {
    for (const { name, guarded } of subscribed) unsubscribe(name, guarded);
  };
}

/** The same function, silent where it throws: telemetry at run time never does. */
export function guard<A extends unknown[]>(work: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      work(...args);
    } catch {
      // There is nobody to tell.
    }
  };
}

export function isObject(value: unknown): value is Message {
  return typeof value === 'object' && value !== null;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
