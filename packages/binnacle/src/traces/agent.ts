/** The HTTP agent of exports. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Socket } from 'node:net';

/**
 * The timeout that the official exporter is given, in milliseconds. Too short for its own retries, which it makes on
 * timers of up to 5 s that keep the process alive, and after which it no longer knows the status that it was refused
 * with. The exporter sets it on sockets as well: there it is not heeded, the deadline of each export is kept elsewhere.
 */
export const SDK_TIMEOUT_MS = 1;

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
  socket.once('connect', () => socket.unref());
  // The agent would ref it again when it is reused.
  socket.ref = () => socket;
  const setTimeoutOf = socket.setTimeout.bind(socket);
  socket.setTimeout = (ms, callback) => setTimeoutOf(ms === SDK_TIMEOUT_MS ? 0 : ms, callback);
}
