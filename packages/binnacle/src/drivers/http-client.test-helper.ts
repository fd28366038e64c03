/** A server that clients are tested against, and scopes with a span of their own. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { expect } from 'vitest';
import type { TestSignals } from '../../test/signals.ts';
import { runInScope } from '../context.ts';

export interface Peer {
  readonly origin: string;
  readonly port: number;
  /** The headers that a path was asked with, the last ones. */
  received(path: string): IncomingHttpHeaders | undefined;
  close(): Promise<void>;
}

/**
 * `/503` answers so, `/away` leads to `/ok`, `/never` does not answer, `/cut` breaks off within its body, `/endless`
 * never ends its body, `/hang-up` closes without an answer; anything else answers `ok`.
 */
export async function startPeer(): Promise<Peer> {
  const received = new Map<string, IncomingHttpHeaders>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(`http://peer${request.url}`);
    received.set(pathname, request.headers);
    if (pathname === '/never') return;
    if (pathname === '/hang-up') request.socket.destroy();
    else if (pathname === '/503') response.writeHead(503).end('no');
    else if (pathname === '/away') response.writeHead(302, { location: '/ok' }).end();
    else if (pathname === '/cut') response.write('half', () => request.socket.end());
    else if (pathname === '/endless') {
      const more = (): void => void response.write('x'.repeat(65_536), (error) => error ?? setImmediate(more));
      more();
    } else response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    received: (path) => received.get(path),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Runs `work` under a span of its own. */
export async function under<T>(signals: TestSignals, work: (span: Span) => Promise<T>): Promise<T> {
  const span = signals.tracer.startSpan('parent');
  return await runInScope({ otel: trace.setSpan(ROOT_CONTEXT, span) }, () => work(span));
}

/** The header that carries a span on. */
export function traceparentOf(span: { spanContext(): { traceId: string; spanId: string } }): string {
  const { traceId, spanId } = span.spanContext();
  return `00-${traceId}-${spanId}-01`;
}

/** The one span that has ended, once it has. */
export async function oneEnded(signals: TestSignals): Promise<ReturnType<TestSignals['ended']>[number]> {
  const [span, ...more] = await expect
    .poll(() => signals.ended(), { timeout: 10_000 })
    .toHaveLength(1)
    .then(() => signals.ended());
  if (span === undefined || more.length > 0) throw new Error('one span was expected');
  return span;
}
