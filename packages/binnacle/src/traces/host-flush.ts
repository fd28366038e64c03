/** The last spans of a host's own SDK: Binnacle ends the process at a signal, and they may be queued by then. */
import type { TracerProvider } from '@opentelemetry/api';
import { holdProcess, setUnrefTimer } from './timer.ts';

/**
 * Has a host's provider send what it has queued, in at most `timeoutMs`; its shutdown is the host's. Always resolves:
 * what fails there is the host's to tell.
 */
export async function flushHost(provider: TracerProvider, timeoutMs: number): Promise<void> {
  const forceFlush: unknown = Reflect.get(provider, 'forceFlush');
  if (typeof forceFlush !== 'function') return;
  let callOff = (): void => {};
  const late = new Promise<void>((resolve) => {
    callOff = setUnrefTimer(resolve, timeoutMs);
  });
  // In a later turn: instrumentations end the span of an answer once it is closed, which comes after its last byte.
  const flushed = new Promise((resolve) => setImmediate(resolve)).then(() => Reflect.apply(forceFlush, provider, []));
  await holdProcess(Promise.race([late, flushed.then(noop, noop)]));
  callOff();
}

const noop = (): void => {};
