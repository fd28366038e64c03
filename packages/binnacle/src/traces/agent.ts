/** The HTTP agent of exports. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Socket } from 'node:net';
import { ExportError } from './cause.ts';
import { setUnrefTimer } from './timer.ts';

/**
 * How long a connection may take to come about, in milliseconds: room for one packet that is sent again. Until it has,
 * libuv keeps the process alive, whatever the socket says, and a collector behind a firewall that drops packets would
 * hold a process up for as long as an export may take.
 */
const CONNECT_MS = 3000;

/**
 * An agent whose connections never keep the process alive, not when they are reused either, so that a collector which
 * accepts and does not answer cannot hold an exit up. `destroy()` cuts them all.
 */
export function createExportAgent(protocol: string): HttpAgent {
  const agent: HttpAgent =
    protocol === 'https:' ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = connect(options, callback);
    if (socket instanceof Socket) letGo(socket);
    return socket;
  };
  return agent;
}

function letGo(socket: Socket): void {
  socket.unref();
  // A host name with several addresses gets a new handle for each attempt, which is not unref'd.
  socket.on('connectionAttempt', () => socket.unref());
  socket.once('connect', () => socket.unref());
  // The agent would ref it again when it is reused.
  socket.ref = () => socket;
  const cancel = setUnrefTimer(() => socket.destroy(new ExportError('ETIMEDOUT')), CONNECT_MS);
  socket.once('connect', cancel);
  socket.once('close', cancel);
}
