/**
 * The open exchanges of each connection. Node tells an answer that its connection closed only while it is that answer's
 * turn; those that wait behind it in a pipeline would stay open for good.
 */
import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';

const LATEST: unique symbol = Symbol('binnacle.latest');

type Connection = Socket & { [LATEST]?: Exchange | undefined };

/** The exchange that began last, and those before it through `before`; undefined where none is open. */
export function latestOn(socket: Socket): Exchange | undefined {
  return (socket as Connection)[LATEST];
}

export function putOn(socket: Connection, exchange: Exchange): void {
  if (!(LATEST in socket)) socket.once('close', () => loseAll(socket));
  socket[LATEST] = exchange;
}

/** An exchange has ended. Those in the middle of a pipeline go when all after them have. */
export function takeOff(socket: Connection, exchange: Exchange): void {
  if (socket[LATEST] !== exchange) return;
  let open = exchange.before;
  while (open?.ending !== undefined) open = open.before;
  socket[LATEST] = open;
}

function loseAll(socket: Connection): void {
  for (let open = socket[LATEST]; open !== undefined; open = open.before) open.lost();
  socket[LATEST] = undefined;
}
