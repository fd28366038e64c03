/** One answer of HTTP/1.1, read from its bytes as they come (https://www.rfc-editor.org/rfc/rfc9112). */
import { ExportError } from './cause.ts';

/** How a request was answered. Redirects are answers like any other: they are not followed. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly contentType: string;
  /** Absent where it is longer than 64 KiB, or ended too early. */
  readonly body: Buffer | undefined;
}

/** The most of an answer that is read, in bytes: one that says more is not an answer to an export. */
const MOST_OF_ANSWER = 64 * 1024;
/** The most of a head, of trailers and of a chunk's size with its extensions, in bytes: Node's own bound. */
const MOST_OF_HEAD = 16 * 1024;
const LF = 10;

const STATUS_LINE = /^HTTP\/1\.(\d) ([1-9]\d\d)(?: |$)/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const UNPRINTABLE = /[^\t\x20-\x7e\x80-\xff]/;
const CHUNK_SIZE = /^([0-9A-Fa-f]+)[\t ]*(?:;|$)/;
/** Fields of which each line adds to a list; of others the first one stands. */
const LISTS: ReadonlySet<string> = new Set(['connection', 'transfer-encoding']);

/** What comes next. `rest` is a body that ends with the connection. */
type Stage = 'status' | 'fields' | 'body' | 'rest' | 'chunkSize' | 'chunk' | 'chunkEnd' | 'trailers' | 'done';

/** Reads one answer, and the interim ones before it. Its errors have the codes of Node's own parser. */
export class AnswerParser {
  /** 0 until the head has come. */
  status = 0;
  /** Whether the connection may be used again, once the answer is there; for how long, in milliseconds, if it says so. */
  isKept = false;
  keptMs: number = Number.POSITIVE_INFINITY;
  readonly #onStatus: (status: number) => void;
  #stage: Stage = 'status';
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** What has come of a line that has not ended. */
  #line = '';
  /** Bytes of the head, the trailers or the line so far. */
  #headSize = 0;
  #minor = 0;
  #code = 0;
  #name = '';
  readonly #fields = new Map<string, string>();
  /** Bytes of the body, or of its chunk, that are still to come. */
  #left = 0;
  #size = 0;
  readonly #parts: Buffer[] = [];

  /** `onStatus` is told once the head has come. */
  constructor(onStatus: (status: number) => void) {
    this.#onStatus = onStatus;
  }

  /** Nothing more of it is wanted. */
  get isDone(): boolean {
    return this.#stage === 'done';
  }

  /** What there is of it; with a body once it is done. */
  get answer(): Answer {
    return {
      status: this.status,
      retryAfter: this.#fields.get('retry-after'),
      contentType: this.#fields.get('content-type') ?? '',
      body: this.isDone && this.#size <= MOST_OF_ANSWER ? Buffer.concat(this.#parts) : undefined,
    };
  }

  /** Takes the next bytes. Throws where they are no HTTP. */
  push(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#at = 0;
    while (this.#at < bytes.length && !this.isDone) {
      if (this.#stage === 'body' || this.#stage === 'chunk' || this.#stage === 'rest') this.#takeBody();
      else this.#takeLine();
    }
    // Whoever says more than an answer cannot be trusted to begin the next one where it should.
    if (this.#at < bytes.length) this.isKept = false;
  }

  /** The connection has ended, which is the end of some answers. */
  end(): void {
    if (this.#stage === 'rest') this.#stage = 'done';
  }

  #takeBody(): void {
    const end = this.#stage === 'rest' ? this.#bytes.length : this.#at + this.#left;
    const part = this.#bytes.subarray(this.#at, end);
    this.#at += part.length;
    this.#left -= part.length;
    this.#grow(part.length);
    if (this.isDone) return;
    this.#parts.push(part);
    if (this.#stage === 'rest' || this.#left > 0) return;
    this.#stage = this.#stage === 'body' ? 'done' : 'chunkEnd';
  }

  /** Counts bytes of the body; of one that is too long nothing is read or held. */
  #grow(size: number): void {
    this.#size += size;
    if (this.#size <= MOST_OF_ANSWER) return;
    this.#stage = 'done';
    this.isKept = false;
    this.#parts.length = 0;
  }

  #takeLine(): void {
    const found = this.#bytes.indexOf(LF, this.#at);
    const end = found === -1 ? this.#bytes.length : found + 1;
    this.#headSize += end - this.#at;
    if (this.#headSize > MOST_OF_HEAD) throw new ExportError('HPE_HEADER_OVERFLOW');
    this.#line += this.#bytes.toString('latin1', this.#at, end);
    this.#at = end;
    // At once: one that speaks first and waits would never end its line.
    if (this.#stage === 'status' && !mayBegin(this.#line)) throw new ExportError('HPE_INVALID_CONSTANT');
    if (this.#stage === 'chunkEnd' && !'\r\n'.startsWith(this.#line)) throw new ExportError('HPE_STRICT');
    if (found === -1) return;
    const line = this.#line;
    this.#line = '';
    if (!line.endsWith('\r\n')) throw new ExportError('HPE_CR_EXPECTED');
    this.#readLine(line.slice(0, -2));
  }

  #readLine(line: string): void {
    if (UNPRINTABLE.test(line)) throw new ExportError('HPE_INVALID_HEADER_TOKEN');
    if (this.#stage === 'status') this.#readStatus(line);
    else if (this.#stage === 'chunkSize') this.#readChunkSize(line);
    else if (this.#stage === 'chunkEnd') this.#stage = 'chunkSize';
    else if (line !== '') this.#readField(line);
    else if (this.#stage === 'trailers') this.#stage = 'done';
    else this.#endHead();
  }

  #readStatus(line: string): void {
    // An empty line before it is passed over, as Node does.
    if (line === '') return;
    const [matched, minor, status] = STATUS_LINE.exec(line) ?? [];
    if (matched === undefined) {
      throw new ExportError(line.startsWith('HTTP/1.') ? 'HPE_INVALID_STATUS' : 'HPE_INVALID_VERSION');
    }
    this.#minor = Number(minor);
    this.#code = Number(status);
    this.#stage = 'fields';
  }

  #readField(line: string): void {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      // What was folded belongs to the field before it.
      const value = this.#fields.get(this.#name);
      if (this.#name === '') throw new ExportError('HPE_INVALID_HEADER_TOKEN');
      if (value !== undefined) this.#fields.set(this.#name, `${value} ${line.trim()}`.trim());
      return;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!TOKEN.test(name)) throw new ExportError('HPE_INVALID_HEADER_TOKEN');
    this.#name = name;
    if (this.#stage === 'fields') this.#addField(name, line.slice(colon + 1).trim());
  }

  #addField(name: string, value: string): void {
    const before = this.#fields.get(name);
    if (before === undefined) this.#fields.set(name, value);
    else if (LISTS.has(name)) this.#fields.set(name, `${before}, ${value}`);
    else if (name === 'content-length') throw new ExportError('HPE_UNEXPECTED_CONTENT_LENGTH');
  }

  #endHead(): void {
    this.#headSize = 0;
    this.#name = '';
    // Nothing was asked that 101 would answer: it is no interim answer.
    if (this.#code < 200 && this.#code !== 101) {
      this.#stage = 'status';
      this.#fields.clear();
      return;
    }
    this.#frame();
    this.status = this.#code;
    this.#onStatus(this.#code);
  }

  /** How long the body is (RFC 9112, section 6.3), and what becomes of the connection after it (section 9.3). */
  #frame(): void {
    const length = this.#fields.get('content-length');
    const coding = this.#fields.get('transfer-encoding');
    if (length !== undefined && !/^\d+$/.test(length)) throw new ExportError('HPE_INVALID_CONTENT_LENGTH');
    const connection = listOf(this.#fields.get('connection'));
    this.isKept = !connection.includes('close') && (this.#minor > 0 || connection.includes('keep-alive'));
    const [, seconds] = /\btimeout=(\d+)/i.exec(this.#fields.get('keep-alive') ?? '') ?? [];
    if (seconds !== undefined) this.keptMs = Number(seconds) * 1000;
    if (this.#code === 101 || this.#code === 204 || this.#code === 304) {
      this.#stage = 'done';
      if (this.#code === 101) this.isKept = false;
    } else if (coding !== undefined) {
      this.#stage = listOf(coding).at(-1) === 'chunked' ? 'chunkSize' : 'rest';
      // Of an answer that says both somebody between may have believed the other.
      if (length !== undefined) this.isKept = false;
    } else if (length !== undefined) {
      this.#left = Number(length);
      this.#stage = this.#left === 0 ? 'done' : 'body';
      if (this.#left > MOST_OF_ANSWER) this.#grow(this.#left);
    } else this.#stage = 'rest';
    if (this.#stage === 'rest') this.isKept = false;
  }

  #readChunkSize(line: string): void {
    const [, digits] = CHUNK_SIZE.exec(line) ?? [];
    if (digits === undefined) throw new ExportError('HPE_INVALID_CHUNK_SIZE');
    this.#headSize = 0;
    this.#left = Number.parseInt(digits, 16);
    this.#stage = this.#left === 0 ? 'trailers' : 'chunk';
    if (this.#left > MOST_OF_ANSWER) this.#grow(this.#left);
  }
}

/** Whether an answer, or an empty line before it, can begin with these characters. */
function mayBegin(line: string): boolean {
  return '\r\n'.startsWith(line) || 'HTTP/'.startsWith(line.slice(0, 5));
}

function listOf(value: string | undefined): string[] {
  return value === undefined ? [] : value.toLowerCase().split(/[\t ]*,[\t ]*/);
}
