/** What is known of a connection: who is at its other end, and which exchanges are open on it. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { watchConnection } from './cut.ts';
import type { Exchange } from './exchange.ts';

const CONNECTION: unique symbol = Symbol('binnacle.connection');

type Connected = Socket & { [CONNECTION]?: Connection };

/**
 * Node tells an answer that its connection closed only while it is that answer's turn; those that wait behind it in a
 * pipeline would stay open for good. So each connection tells its own.
 */
export class Connection {
  /** The exchange that began last; through its `before` those that are open besides. */
  latest: Exchange | undefined;
  readonly isEncrypted: boolean;
  /** The peer's address, as the socket has it. */
  readonly peer: string | undefined;

  constructor(socket: Socket) {
    this.isEncrypted = (socket as { encrypted?: boolean }).encrypted === true;
    this.peer = socket.remoteAddress;
    const lose = (): void => this.#loseAll();
    watchConnection(socket, lose);
    socket.once('close', lose);
  }

  add(exchange: Exchange): void {
    exchange.before = this.latest;
    if (this.latest !== undefined) this.latest.after = exchange;
    this.latest = exchange;
  }

  /** An exchange has ended. */
  remove(exchange: Exchange): void {
    const { before, after } = exchange;
    if (before !== undefined) before.after = after;
    if (after !== undefined) after.before = before;
    else if (this.latest === exchange) this.latest = before;
    exchange.before = undefined;
    exchange.after = undefined;
  }

  #loseAll(): void {
    for (let open = this.latest; open !== undefined; ) {
      // Its own ending takes it out of the row.
      const { before } = open;
      open.lost();
      open = before;
    }
  }
}

export function connectionOf(req: IncomingMessage): Connection {
  const socket: Connected = req.socket;
  // A request of HTTP/2 has a stand-in for its connection, which ends with its own stream: it is alone on it.
  if (req.httpVersionMajor >= 2) return new Connection(socket);
  const known = socket[CONNECTION];
  if (known !== undefined) return known;
  const made = new Connection(socket);
  socket[CONNECTION] = made;
  return made;
}
