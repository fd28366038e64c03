/** The body of an OTLP request: read, and inflated, within bounds. */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import { Refusal } from './otlp-answer.ts';

const inflaters = { gzip: promisify(gunzip), zlib: promisify(inflate), raw: promisify(inflateRaw) };

export interface BodyBounds {
  /** The most of one body, as it comes and inflated, in bytes. */
  readonly body: number;
  /** Of all bodies that are held at once, as they come; beyond it senders are asked to come again. */
  readonly held: number;
}

const MiB = 1024 * 1024;
/** https://opentelemetry.io/docs/specs/otlp/#otlphttp-request recommends 20 MiB. */
export const BODY_BOUNDS: BodyBounds = { body: 20 * MiB, held: 64 * MiB };

/** So many times the most of a body are read of one that is too large, before it is cut off. */
const DISCARDED = 4;
/** Bodies that are inflated at once: each may take the whole of `body`. */
const INFLATING = 2;
/** In seconds. */
const RETRY_AFTER = '1';

type Coding = 'gzip' | 'deflate' | undefined;

export class Bodies {
  readonly #bounds: BodyBounds;
  #held = 0;
  #inflating = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds;
  }

  /** The whole body, inflated. Throws `Refusal`; another error where the sender went away. */
  async read(req: IncomingMessage): Promise<Uint8Array> {
    const coding = codingOf(req);
    const pieces: Buffer[] = [];
    try {
      await this.#collect(req, pieces);
      const whole = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
      return coding === undefined || whole.length === 0 ? whole : await this.#inflate(whole, coding);
    } finally {
      this.#held -= sizeOf(pieces);
    }
  }

  /** What is not to be held is read all the same, within reason: who is still sending does not see an answer. */
  #collect(req: IncomingMessage, pieces: Buffer[]): Promise<void> {
    const { body, held } = this.#bounds;
    let refusal: Refusal | undefined;
    let bytes = 0;
    return new Promise((resolve, reject) => {
      req.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > body) refusal ??= this.#tooLarge();
        else if (this.#held + piece.length > held) refusal ??= busy();
        if (refusal === undefined) {
          pieces.push(piece);
          this.#held += piece.length;
        } else if (bytes > body * DISCARDED) reject(this.#tooLarge({ connection: 'close' }));
      });
      req.once('end', () => (refusal === undefined ? resolve() : reject(refusal)));
      req.once('error', reject);
      req.once('close', () => reject(new Error('the sender went away')));
    });
  }

  #tooLarge(headers: Readonly<Record<string, string>> = {}): Refusal {
    const most = `at most ${Math.floor(this.#bounds.body / MiB)} MiB are taken, inflated too`;
    return new Refusal(413, `${most}: send smaller batches`, headers);
  }

  async #inflate(bytes: Buffer, coding: 'gzip' | 'deflate'): Promise<Uint8Array> {
    if (this.#inflating >= INFLATING) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inflating += 1;
    try {
      return await inflaters[formatOf(bytes, coding)](bytes, { maxOutputLength: this.#bounds.body });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw this.#tooLarge();
      throw new Refusal(400, `the body is no ${coding}, as its content-encoding says`);
    } finally {
      // Its place goes to the one that waits longest.
      const next = this.#waiting.shift();
      if (next === undefined) this.#inflating -= 1;
      else next();
    }
  }
}

function busy(): Refusal {
  return new Refusal(503, 'too much is being sent at once', { 'retry-after': RETRY_AFTER });
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

function codingOf({ headers }: IncomingMessage): Coding {
  const coding = (headers['content-encoding'] ?? '').trim().toLowerCase();
  if (coding === '' || coding === 'identity') return undefined;
  if (coding === 'gzip' || coding === 'x-gzip') return 'gzip';
  if (coding === 'deflate') return 'deflate';
  // https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3: what would be taken.
  throw new Refusal(415, 'this content-encoding is not known: gzip and deflate are', {
    'accept-encoding': 'gzip, deflate',
  });
}

/** `deflate` is zlib's format (https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2), and by some senders a bare stream. */
function formatOf(bytes: Buffer, coding: 'gzip' | 'deflate'): keyof typeof inflaters {
  if (coding === 'gzip') return 'gzip';
  return ((bytes[0] as number) & 0x0f) === 8 ? 'zlib' : 'raw';
}
