/**
 * A request and its answer as instances of their own exchange: what they emit, they emit with that exchange in hand,
 * whoever makes them. The functions are the same for all of them and find the exchange on the instance.
 */
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { applyInScope, currentScope } from '../context.ts';
import type { Exchange } from './exchange.ts';

const EXCHANGE: unique symbol = Symbol('binnacle.exchange');
const EMIT: unique symbol = Symbol('binnacle.emit');

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;
interface Observed {
  [EXCHANGE]?: Exchange;
  [EMIT]?: Emit;
  emit: Emit;
  listenerCount(event: string | symbol, listener?: unknown): number;
  listeners(event: string | symbol): { readonly name: string }[];
}

/** The exchange of a request, or of an answer; undefined while there is none. */
export function exchangeOf(of: object): Exchange | undefined {
  return (of as Observed)[EXCHANGE];
}

/** Binds both to their exchange, and tells it when the answer has left, or its connection. */
export function bindToExchange(exchange: Exchange, req: IncomingMessage, res: ServerResponse): void {
  bind(req as unknown as Observed, exchange, emitOfRequest);
  bind(res as unknown as Observed, exchange, emitOfAnswer);
}

function bind(target: Observed, exchange: Exchange, emit: Emit): void {
  target[EXCHANGE] = exchange;
  // Somebody else's own emit is called in the end.
  if (target.emit !== emitOfClass) target[EMIT] = target.emit;
  target.emit = emit;
}

const emitOfClass = EventEmitter.prototype.emit as Emit;

function emitOfRequest(this: Observed, event: string | symbol, ...args: unknown[]): boolean {
  // Of a request without a body nobody else hears this.
  if (event === 'end' && this[EMIT] === undefined && onlyNodeHears(this)) return emitOfClass.call(this, event);
  return emitWithin(this, event, args);
}

/** Node's own listener to the end of a request that was answered before it, once it has been seen. */
let nodesOwn: unknown;

/** Whether the one listener to a request's end is Node's, which needs not be within anything. */
function onlyNodeHears(request: Observed): boolean {
  if (request.listenerCount('end') !== 1) return false;
  nodesOwn ??= request.listeners('end').find(({ name }) => name === 'clearIncoming');
  return nodesOwn !== undefined && request.listenerCount('end', nodesOwn) === 1;
}

function emitOfAnswer(this: Observed, event: string | symbol, ...args: unknown[]): boolean {
  if (event === 'finish') this[EXCHANGE]?.left();
  else if (event === 'close') this[EXCHANGE]?.lost();
  return emitWithin(this, event, args);
}

function emitWithin(target: Observed, event: string | symbol, args: unknown[]): boolean {
  const own = target[EMIT];
  const scope = target[EXCHANGE] as Exchange;
  // As nearly all of them are: within it already, and with nothing to say.
  if (args.length === 0 && currentScope() === scope)
    return own === undefined ? emitOfClass.call(target, event) : own.call(target, event);
  // Nobody hears it, so nobody has to be within anything.
  if (own === undefined && event !== 'error' && target.listenerCount(event) === 0) return false;
  return applyInScope(scope, own ?? emitOfClass, target, [event, ...args]);
}
