/** Who cut an answer short: the client, the server itself, or Node's time limit for requests. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

export type Cut = 'client' | 'server' | 'timeout';

/** What Node destroys a connection with whose request did not come in time (`requestTimeout`, `headersTimeout`). */
const REQUEST_TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';
/** The parser's words for what came, or did not come, from the client. */
const PARSER = /^HPE_/;
/** What a peer's failure is told by where the operating system does not name a call. */
const PEER = new Set(['ECONNRESET', 'EPIPE', 'ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_SESSION_ERROR']);

/** Connections that this side ended, and how. */
const ended = new WeakMap<Socket, 'server' | 'timeout'>();

/**
 * Notes how a connection is destroyed: by the client's leaving, which Node answers by a `destroy` of its own, or by this
 * side. The instance's own method is wrapped. `onTimeout` is called before anybody may write an answer that leaves no more.
 */
export function watchConnection(socket: Socket, onTimeout: () => void): void {
  // A request of HTTP/2 has a stand-in for its connection, whose end is its stream's: that is read from the stream.
  if ('stream' in socket || typeof socket.destroy !== 'function') return;
  const { destroy } = socket;
  socket.destroy = (error?: Error): Socket => {
    const by = socket.destroyed || ended.has(socket) ? undefined : endedBy(socket, error);
    if (by !== undefined) ended.set(socket, by);
    if (by === 'timeout') onTimeout();
    return destroy.call(socket, error);
  };
}

function endedBy(socket: Socket, error: Error | undefined): 'server' | 'timeout' | undefined {
  if (error === undefined || error === null) return socket.readableEnded ? undefined : 'server';
  if (codeOf(error) === REQUEST_TIMEOUT) return 'timeout';
  return isPeers(error) ? undefined : 'server';
}

/**
 * Who cut an answer, or undefined for a whole one. `finished` is what Node told (HTTP/2 tells it of cut answers too),
 * `destroyed` whether the answer itself was destroyed by this side.
 */
export function cutBy(
  req: IncomingMessage,
  res: ServerResponse,
  finished: boolean,
  destroyed: boolean,
): Cut | undefined {
  const stream = (res as { stream?: ServerHttp2Stream }).stream;
  if (stream !== undefined) return cutStream(stream, res.writableEnded, destroyed);
  if (destroyed && !finished) return 'server';
  if (res.errored != null) return isPeers(res.errored) && req.socket.destroyed ? 'client' : 'server';
  return finished ? undefined : (ended.get(req.socket) ?? 'client');
}

/**
 * A stream that the server ended and that was sent to its end is whole, whatever its reader says after that. A reset by
 * the client ends the server's side for it, so that the end of writing alone says nothing.
 */
function cutStream(stream: ServerHttp2Stream, ended: boolean, destroyed: boolean): Cut | undefined {
  if (ended && stream.writableFinished && !stream.aborted) return undefined;
  if (destroyed) return 'server';
  if (stream.errored != null) return isPeers(stream.errored) ? 'client' : 'server';
  // A client's reset has a code, or ends the writing; the server's own `destroy` does neither.
  return stream.rstCode === constants.NGHTTP2_NO_ERROR && !stream.writableFinished ? 'server' : 'client';
}

function isPeers(error: Error): boolean {
  const code = codeOf(error);
  return 'syscall' in error || PEER.has(code) || PARSER.test(code);
}

function codeOf(error: Error): string {
  return String((error as NodeJS.ErrnoException).code);
}
