/** One HTTP request with a limit of time. Redirects are answers: what is sent goes nowhere else. */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole answer, in milliseconds. */
  readonly limitMs: number;
}

export type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  /** With a code alone (`ECONNREFUSED`, `timeout`): messages may hold what was sent. */
  | { readonly kind: 'failed'; readonly code: string };

/** The most of an answer that is read, in bytes. */
const MOST = 16 * 1024 * 1024;

/** Never rejects. */
export async function ask(url: string, question: Question): Promise<Answer> {
  let request: ClientRequest | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Answer>((resolve) => {
      timer = setTimeout(() => resolve({ kind: 'failed', code: 'timeout' }), question.limitMs);
      request = send(url, question);
      request.on('error', (error) => resolve({ kind: 'failed', code: codeOf(error) }));
      request.once('response', (response) => read(response, resolve));
      request.end(question.body);
    });
  } catch (error) {
    return { kind: 'failed', code: codeOf(error) };
  } finally {
    clearTimeout(timer);
    request?.destroy();
  }
}

function send(url: string, { method, headers = {}, body }: Question): ClientRequest {
  const target = new URL(url);
  const start = target.protocol === 'https:' ? requestHttps : requestHttp;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return start(target, { method, agent: false, headers: { ...headers, ...length } });
}

function read(response: IncomingMessage, resolve: (answer: Answer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const settle = (): void => {
    resolve({ kind: 'answered', status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
  };
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MOST) settle();
    else chunks.push(chunk);
  });
  response.once('end', settle);
  response.once('error', (error) => resolve({ kind: 'failed', code: codeOf(error) }));
}

function codeOf(error: unknown): string {
  const { code, errors } = error as { readonly code?: unknown; readonly errors?: readonly unknown[] };
  if (typeof code === 'string' && /^[\w.-]{1,60}$/.test(code)) return code;
  // A name with several addresses fails by all of them.
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : 'failed';
}
