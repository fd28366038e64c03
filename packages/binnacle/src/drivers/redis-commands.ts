/**
 * Commands to Redis, by the channels of a client: ioredis and node-redis tell nearly the same
 * (https://opentelemetry.io/docs/specs/semconv/db/redis/). Neither keys nor values are ever read.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { type Context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { activeContext } from '../context.ts';
import type { Signals } from '../signals.ts';
import { type Call, type DatabaseCall, startDatabaseCall } from './call.ts';
import { listen, type Message, numberOf, textOf } from './channels.ts';
import { createHostWatch } from './host-wrapper.ts';

export interface RedisClient {
  /** What its channels' names begin with. */
  readonly channels: string;
  /** How many of a command's `args` are the command itself. */
  readonly argsBefore: 0 | 1;
}

/** What clients send by themselves: to greet, to keep a connection alive, to find out who leads. */
const HOUSEKEEPING = new Set([
  ...['HELLO', 'AUTH', 'CLIENT', 'INFO', 'SELECT', 'READONLY', 'READWRITE', 'PING'],
  ...['COMMAND', 'CLUSTER', 'SENTINEL', 'ROLE'],
]);
const MAX_ARGS = 10;
const COMMAND = /^[A-Z][A-Z0-9._-]{0,63}$/;

/**
 * Observes a client's commands from now on; what it returns ends that.
 *
 * What happens within a connection's own flow (its handshake, and the commands that waited for it in ioredis) would
 * belong to whoever happened to open it. It has no parent, and the handshake is left out.
 */
export function observeRedisCommands(signals: Signals, client: RedisClient): () => void {
  const calls = new WeakMap<object, Call>();
  const connecting = followConnections(client);
  const isHosts = createHostWatch(signals);
  /** Above 0 while a batch hands over its commands, which is synchronous: the batch stands for them. */
  let handedOver = 0;
  const begin = (message: Message, info: DatabaseCall): void => {
    const active = activeContext();
    // A connection that was opened quietly stays so.
    const parentless = connecting.isInside() && !isTracingSuppressed(active);
    const call = startDatabaseCall(signals, info, parentless ? ROOT_CONTEXT : active, isHosts());
    if (call !== undefined) calls.set(message, call);
  };
  const name = (operation: string, event: string): string => `tracing:${client.channels}:${operation}:${event}`;
  const fail = (message: Message): void => calls.get(message)?.fail(message.error);
  const end = (message: Message): void => calls.get(message)?.end();
  const stop = listen({
    [name('command', 'start')]: (message) => {
      if (handedOver > 0) return;
      const info = commandOf(message, client);
      const alone = connecting.isInside() || !hasSpan(activeContext());
      if (info !== undefined && !(alone && HOUSEKEEPING.has(info.operation))) begin(message, info);
    },
    [name('command', 'error')]: fail,
    [name('command', 'asyncStart')]: end,
    [name('batch', 'start')]: (message) => {
      handedOver += 1;
      begin(message, batchOf(message));
    },
    [name('batch', 'end')]: () => {
      handedOver = Math.max(0, handedOver - 1);
    },
    [name('batch', 'error')]: fail,
    [name('batch', 'asyncStart')]: end,
  });
  return () => {
    stop();
    connecting.stop();
  };
}

function hasSpan(context: Context): boolean {
  return trace.getSpan(context) !== undefined;
}

/**
 * Marks what a connection does by itself, now and on each reconnect: whoever opened it has long been answered. What a
 * listener of it does in a context that it has entered is its own.
 */
function followConnections({ channels }: RedisClient): { isInside(): boolean; stop(): void } {
  const opening = new AsyncLocalStorage<Context>();
  const { start } = tracingChannel(`${channels}:connect`);
  start.bindStore(opening, () => activeContext());
  return { isInside: () => opening.getStore() === activeContext(), stop: () => void start.unbindStore(opening) };
}

function commandOf(message: Message, { argsBefore }: RedisClient): DatabaseCall | undefined {
  const { command, args } = message;
  if (typeof command !== 'string') return undefined;
  const capitals = command.toUpperCase();
  const operation = COMMAND.test(capitals) ? capitals : '_OTHER';
  const length = Array.isArray(args) ? Math.max(0, args.length - argsBefore) : 0;
  return { operation, text: textWith(operation, length), ...serverOf(message) };
}

function textWith(operation: string, args: number): string {
  const marks = ' ?'.repeat(Math.min(args, MAX_ARGS));
  return `${operation}${marks}${args > MAX_ARGS ? ' …' : ''}`;
}

function batchOf(message: Message): DatabaseCall {
  const operation = message.batchMode === 'PIPELINE' ? 'PIPELINE' : 'MULTI';
  return { operation, batchSize: numberOf(message.batchSize), ...serverOf(message) };
}

function serverOf({ database, serverAddress, serverPort }: Message): Omit<DatabaseCall, 'operation'> {
  const number = numberOf(database);
  return {
    system: 'redis',
    namespace: number === undefined ? undefined : String(number),
    address: textOf(serverAddress),
    port: numberOf(serverPort),
  };
}
