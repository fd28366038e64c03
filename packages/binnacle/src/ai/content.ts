/**
 * Prompts and answers: their length and hash always, their words only where that is switched on
 * (`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`), and then redacted and bounded.
 */
import { createHash } from 'node:crypto';
import type { Span } from '@opentelemetry/api';

/** Where words go: nowhere, onto the span, into an event of it, or both. */
export type Capture = 'none' | 'span' | 'event' | 'both';

/** The most of one side that is kept, in bytes of UTF-8. */
export const CONTENT_LIMIT: number = 16 * 1024;
/** What is held back of an answer that streams, to estimate its tokens and to hash it, in characters. */
const HELD_LIMIT = 1024 * 1024;

/** So many pieces are joined at once: held until the end, each would cost its place and its own string. */
const PIECES = 64;

export interface ContentOptions {
  readonly capture: Capture;
  /** Any value as data that may be written, its secrets withheld. */
  readonly redact: (value: unknown) => unknown;
}

export type Side = 'input' | 'output';

/** Collects one operation's words, and writes what may be said of them onto its span. */
export class Content {
  readonly #options: ContentOptions;
  #input: unknown;
  #output: unknown;
  /** What is not joined yet: some `PIECES` at a time, in one place for all of the answer. */
  #pieces: string[] | undefined;
  #waiting = 0;
  #text = '';
  #length = 0;

  constructor(options: ContentOptions) {
    this.#options = options;
  }

  /** The prompt, in whatever form the provider takes it. */
  input(messages: unknown): void {
    this.#input = messages;
  }

  /** The whole answer, where it comes at once or is not text alone. */
  output(messages: unknown): void {
    this.#output = messages;
  }

  /** A piece of the answer. */
  add(text: string): void {
    this.#length += text.length;
    if (this.#length > HELD_LIMIT) {
      this.#pieces = undefined;
      this.#text = '';
      return;
    }
    this.#pieces ??= new Array<string>(PIECES).fill('');
    this.#pieces[this.#waiting] = text;
    this.#waiting += 1;
    if (this.#waiting === PIECES) this.#join();
  }

  #join(): void {
    if (this.#pieces === undefined) return;
    const full = this.#waiting === PIECES;
    this.#text += (full ? this.#pieces : this.#pieces.slice(0, this.#waiting)).join('');
    this.#waiting = 0;
  }

  /** All of the answer's text so far; undefined where it was too long to be held, or there was none. */
  get text(): string | undefined {
    this.#join();
    return this.#text === '' ? undefined : this.#text;
  }

  /** All text of the prompt, for an estimate; undefined where there is none. */
  get prompt(): string | undefined {
    const text = textOf(this.#input);
    return text === '' || text.length > HELD_LIMIT ? undefined : text;
  }

  write(span: Span): void {
    if (!span.isRecording()) return;
    const output = this.#output ?? this.text;
    const said: Record<string, string> = {};
    for (const [side, value] of [
      ['input', this.#input],
      ['output', output],
    ] as const) {
      const text = textOf(value);
      if (text === '') continue;
      span.setAttribute(`binnacle.ai.${side}.length`, text.length);
      span.setAttribute(`binnacle.ai.${side}.hash`, createHash('sha256').update(text).digest('hex').slice(0, 32));
      if (this.#options.capture !== 'none') said[`gen_ai.${side}.messages`] = this.#words(value);
    }
    const { capture } = this.#options;
    if (capture === 'span' || capture === 'both') span.setAttributes(said);
    if (capture === 'event' || capture === 'both') span.addEvent('gen_ai.client.inference.operation.details', said);
  }

  #words(value: unknown): string {
    const text = JSON.stringify(this.#options.redact(value)) ?? '';
    if (Buffer.byteLength(text) <= CONTENT_LIMIT) return text;
    return `${Buffer.from(text)
      .subarray(0, CONTENT_LIMIT)
      .toString('utf8')
      .replace(/\uFFFD+$/, '')}…`;
  }
}

/** How deep messages are searched for their text, and how many parts of them. */
const DEPTH = 8;
const PARTS = 10_000;

/** All text of messages, whatever their shape: `content`, `text`, `parts`, `input`… Never throws. */
export function textOf(value: unknown): string {
  const texts: string[] = [];
  let left = PARTS;
  const walk = (node: unknown, depth: number): void => {
    left -= 1;
    if (left < 0 || depth > DEPTH || node === null || node === undefined) return;
    if (typeof node === 'string') texts.push(node);
    else if (Array.isArray(node)) for (const item of node) walk(item, depth + 1);
    else if (typeof node === 'object') {
      const { content, text, parts, input, arguments: args } = node as Readonly<Record<string, unknown>>;
      for (const part of [content, text, parts, input, args]) if (part !== undefined) walk(part, depth + 1);
    }
  };
  try {
    walk(value, 0);
  } catch {
    // A getter that throws: what was found so far is enough.
  }
  return texts.join('\n');
}
