/** One POST at a time to an OTLP endpoint, over a connection that is kept. */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { createExportAgent } from './agent.ts';
import { ExportError } from './cause.ts';

/** How a request was answered. Redirects are answers like any other: they are not followed. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly contentType: string;
  /** Absent where it is longer than 64 KiB, or ended too early. */
  readonly body: Buffer | undefined;
}

export interface Sender {
  /** Posts a body; `onStatus` is told the status before the answer's body has come. Rejects where there is none. */
  post(body: Uint8Array, onStatus: (status: number) => void): Promise<Answer>;
  /** Ends the request under way, and its connection. */
  cut(): void;
  /** Closes every connection. */
  close(): void;
}

/** The most of an answer that is read, in bytes: one that says more is not an answer to an export. */
const MOST_OF_ANSWER = 64 * 1024;

/** `headers` by name in lower case. Nothing is connected before the first `post`. */
export function createSender(url: string, headers: Readonly<Record<string, string>>): Sender {
  const target = new URL(url);
  const agent = createExportAgent(target.protocol);
  const start = target.protocol === 'https:' ? requestHttps : requestHttp;
  let current: ClientRequest | undefined;
  let cuts = 0;

  const postOnce = (body: Uint8Array, onStatus: (status: number) => void): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const fields = { ...headers, 'content-length': String(body.length) };
      const request = start(target, { method: 'POST', agent, headers: fields });
      current = request;
      let answered = false;
      // Once there is a status, what becomes of the connection says nothing of the export.
      const fail = (error: Error): void => {
        if (!answered) reject(request.reusedSocket ? new StaleConnection(error) : error);
      };
      request.once('response', (response) => {
        answered = true;
        onStatus(response.statusCode ?? 0);
        readAnswer(response).then(resolve);
      });
      request.on('error', fail);
      request.once('close', () => {
        // It holds the body, for as long as nothing else is sent.
        if (current === request) current = undefined;
        fail(new ExportError('ECONNRESET'));
      });
      request.end(body);
    });

  return {
    async post(body, onStatus) {
      const before = cuts;
      try {
        return await postOnce(body, onStatus);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        // The collector closed the kept connection as it was used again: that is no failure of the collector.
        if (cuts !== before || !error.isReset) throw error.cause;
        return await postOnce(body, onStatus);
      }
    },
    cut() {
      cuts += 1;
      current?.destroy();
    },
    close() {
      cuts += 1;
      current?.destroy();
      agent.destroy();
    },
  };
}

class StaleConnection extends Error {
  readonly isReset: boolean;
  constructor(cause: NodeJS.ErrnoException) {
    super('a reused connection failed', { cause });
    this.isReset = cause.code === 'ECONNRESET' || cause.code === 'EPIPE';
  }
}

/** Never rejects: the status says how the request went, whatever becomes of the body. */
function readAnswer(response: IncomingMessage): Promise<Answer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (body: Buffer | undefined): void => {
      resolve({
        status: response.statusCode ?? 0,
        retryAfter: response.headers['retry-after'],
        contentType: response.headers['content-type'] ?? '',
        body,
      });
    };
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MOST_OF_ANSWER) chunks.push(chunk);
      else response.destroy();
    });
    response.once('end', () => settle(Buffer.concat(chunks)));
    response.on('error', () => settle(undefined));
    response.once('close', () => settle(undefined));
  });
}
