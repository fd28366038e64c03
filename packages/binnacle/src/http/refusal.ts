/** How work is refused that comes while the service drains: 503, to be tried elsewhere. */
import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';

const TYPE = 'application/json; charset=utf-8';

/** Answers a request; the connection takes no other after it. */
export function refuseRequest(res: ServerResponse, requestId: string): void {
  const body = describe(requestId);
  const stream = (res as { stream?: ServerHttp2Stream }).stream;
  const headers = { 'content-type': TYPE, 'content-length': Buffer.byteLength(body), 'retry-after': '1' };
  res.writeHead(503, stream === undefined ? { ...headers, connection: 'close' } : headers);
  res.end(body);
  // HTTP/2 has no such header: the session says GOAWAY, and ends with its last stream.
  stream?.session?.close();
}

/** Answers a request to upgrade, for which Node makes no response. */
export function refuseUpgrade(socket: Duplex, requestId: string): void {
  const body = describe(requestId);
  const headers = [
    'HTTP/1.1 503 Service Unavailable',
    `content-type: ${TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'retry-after: 1',
    `x-request-id: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}

function describe(requestId: string): string {
  return JSON.stringify({
    error: {
      code: 'shutting_down',
      message: 'The service is shutting down; try again.',
      request_id: requestId,
    },
  });
}
