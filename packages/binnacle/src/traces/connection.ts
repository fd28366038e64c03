/** A connection that is kept: one request at a time, each with its answer. */
import type { Socket } from 'node:net';
import { type Answer, AnswerParser } from './answer.ts';
import { ExportError } from './cause.ts';

/** So much earlier than it was announced a connection is taken for closed, in milliseconds: a request takes its time. */
const MARGIN_MS = 1000;

interface Exchange {
  readonly parser: AnswerParser;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export class Connection {
  readonly #socket: Socket;
  readonly #now: () => number;
  #exchange: Exchange | undefined;
  #usableUntil = Number.POSITIVE_INFINITY;

  /** `now` in milliseconds. */
  constructor(socket: Socket, now: () => number) {
    this.#socket = socket;
    this.#now = now;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.once('end', () => this.#end());
    socket.on('error', (error) => this.#lose(error));
    socket.once('close', () => this.#lose());
  }

  /** Whether a request is under way. */
  get isBusy(): boolean {
    return this.#exchange !== undefined;
  }

  /** Whether another request may be sent. */
  get isUsable(): boolean {
    return !this.#socket.destroyed && this.#now() < this.#usableUntil;
  }

  /**
   * Sends a request; `onStatus` is told the status before the answer's body has come. Rejects where there is no answer;
   * once there is a status, what becomes of the connection says nothing of the export.
   */
  exchange(head: string, body: Uint8Array, onStatus: (status: number) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#exchange = { parser: new AnswerParser(onStatus), resolve, reject };
      // One segment, and one call of the system, where it fits.
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  /** Cuts it, and the request under way. */
  destroy(): void {
    this.#lose();
  }

  #read(bytes: Buffer): void {
    const exchange = this.#exchange;
    // Nobody asked.
    if (exchange === undefined) {
      this.#socket.destroy();
      return;
    }
    try {
      exchange.parser.push(bytes);
    } catch (error) {
      this.#lose(error as Error);
      return;
    }
    if (exchange.parser.isDone) this.#finish(exchange);
  }

  #finish(exchange: Exchange): void {
    this.#exchange = undefined;
    const { isKept, keptMs, answer } = exchange.parser;
    // An answer to half a request: the other half would follow it.
    if (!isKept || this.#socket.writableLength > 0) this.#socket.destroy();
    this.#usableUntil = this.#now() + keptMs - MARGIN_MS;
    exchange.resolve(answer);
  }

  #end(): void {
    this.#exchange?.parser.end();
    if (this.#exchange?.parser.isDone) this.#finish(this.#exchange);
    this.#lose();
  }

  #lose(error?: Error): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#socket.destroy();
    if (exchange === undefined) return;
    if (exchange.parser.status > 0) exchange.resolve(exchange.parser.answer);
    else exchange.reject(error ?? new ExportError('ECONNRESET'));
  }
}
