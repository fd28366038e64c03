/** Sockets to the endpoint of exports. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import { ExportError } from './cause.ts';
import { setUnrefTimer } from './timer.ts';

/**
 * How long a connection may take to come about, in milliseconds: room for one packet that is sent again. Until it has,
 * libuv keeps the process alive, whatever the socket says, and a collector behind a firewall that drops packets would
 * hold a process up for as long as an export may take.
 */
const CONNECT_MS = 3000;
/** When TCP asks whether the other side is still there, in milliseconds: as Node's agent has it. */
const PROBE_MS = 1000;

/**
 * Opens sockets that never keep the process alive, so that a collector which accepts and does not answer cannot hold
 * an exit up. `hostHeader`, where there is one, names the server for TLS, as it does for `node:https`.
 */
export function createOpener(target: URL, hostHeader: string | undefined): () => Socket {
  const secure = target.protocol === 'https:';
  const host = urlToHttpOptions(target).hostname ?? '';
  const port = Number(target.port) || (secure ? 443 : 80);
  const servername = serverNameOf(hostHeader ?? target.host);
  /** Of the last connection: with it the next one costs less. */
  let session: Buffer | undefined;
  const open = (): Socket => {
    if (!secure) return connectTcp({ host, port });
    const socket = connectTls({ host, port, servername, ALPNProtocols: ['http/1.1'], ...(session && { session }) });
    socket.on('session', (given: Buffer) => {
      session = given;
    });
    socket.once('error', () => {
      session = undefined;
    });
    return socket;
  };
  return () => {
    const socket = open();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_MS);
    letGo(socket);
    return socket;
  };
}

/** Names only (RFC 6066, section 3); an address is checked against the certificate without it. */
function serverNameOf(authority: string): string {
  const name = authority.startsWith('[') ? authority.slice(1).split(']', 1)[0] : authority.split(':', 1)[0];
  return name === undefined || isIP(name) !== 0 ? '' : name;
}

function letGo(socket: Socket): void {
  socket.unref();
  // A host name with several addresses gets a new handle for each attempt, which is not unref'd.
  socket.on('connectionAttempt', () => socket.unref());
  socket.once('connect', () => socket.unref());
  const cancel = setUnrefTimer(() => socket.destroy(new ExportError('ETIMEDOUT')), CONNECT_MS);
  socket.once('connect', cancel);
  socket.once('close', cancel);
}
