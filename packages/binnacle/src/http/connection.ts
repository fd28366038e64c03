/** What is known of a connection: who is at its other end, and which exchanges are open on it. */
import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';

const CONNECTION: unique symbol = Symbol('binnacle.connection');

type Connected = Socket & { [CONNECTION]?: Connection };

/**
 * Node tells an answer that its connection closed only while it is that answer's turn; those that wait behind it in a
 * pipeline would stay open for good. So each connection tells its own.
 */
export class Connection {
  /** The exchange that began last, and through its `before` those that did before it. */
  latest: Exchange | undefined;
  readonly isEncrypted: boolean;
  /** The peer's address, as the socket has it. */
  readonly peer: string | undefined;

  constructor(socket: Socket) {
    this.isEncrypted = (socket as { encrypted?: boolean }).encrypted === true;
    this.peer = socket.remoteAddress;
    socket.once('close', () => this.#loseAll());
  }

  add(exchange: Exchange): void {
    this.latest = exchange;
  }

  /** An exchange has ended. Those in the middle of a pipeline go when all after them have. */
  remove(exchange: Exchange): void {
    if (this.latest !== exchange) return;
    let open = exchange.before;
    while (open?.ending !== undefined) open = open.before;
    this.latest = open;
  }

  #loseAll(): void {
    for (let open = this.latest; open !== undefined; open = open.before) open.lost();
    this.latest = undefined;
  }
}

export function connectionOf(socket: Connected): Connection {
  const known = socket[CONNECTION];
  if (known !== undefined) return known;
  const made = new Connection(socket);
  socket[CONNECTION] = made;
  return made;
}
