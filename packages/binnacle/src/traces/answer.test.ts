/** Answers as Node's own client reads them from a socket, and as they are read here, however their bytes are split. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnswerParser } from './answer.ts';

/** What became of a request. */
interface Outcome {
  readonly status: number;
  readonly retryAfter?: string | undefined;
  readonly contentType?: string;
  /** `undefined`: broken off. */
  readonly body?: string | undefined;
  readonly isKept?: boolean;
  readonly failed?: string;
}

let server: Server;
/** What the server says next, before it hangs up. */
let said: Buffer;
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => {}).once('data', () => socket.end(said));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

/** By `node:http`, with an agent that keeps connections. */
async function readByNode(bytes: Buffer): Promise<Outcome> {
  said = bytes;
  const agent = new Agent({ keepAlive: true });
  let isKept = false;
  agent.once('free', () => {
    isKept = true;
  });
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      const sent = request({ port, host: '127.0.0.1', method: 'POST', agent });
      let answered = false;
      sent.once('error', (error: NodeJS.ErrnoException) => {
        if (!answered) resolve({ status: 0, failed: error.code ?? '' });
      });
      sent.once('response', (response) => {
        answered = true;
        const { statusCode: status = 0, headers } = response;
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part)).on('error', () => {});
        response.once('close', () => {
          const body = response.complete ? Buffer.concat(parts).toString('latin1') : undefined;
          const contentType = headers['content-type'] ?? '';
          // The agent is told after the answer's end.
          const settle = (): void =>
            resolve({ status, retryAfter: headers['retry-after'], contentType, body, isKept: body !== undefined && isKept });
          setImmediate(settle);
        });
      });
      sent.end('x');
    });
  } finally {
    agent.destroy();
  }
}

/** The bytes in the parts that the cuts make, then the connection's end. */
function readHere(bytes: Buffer, cuts: readonly number[]): Outcome {
  const told: number[] = [];
  const parser = new AnswerParser((status) => void told.push(status));
  let failed = 'ECONNRESET';
  try {
    const ends = [...cuts, bytes.length];
    ends.forEach((end, index) => {
      if (!parser.isDone) parser.push(bytes.subarray(ends[index - 1] ?? 0, end));
      else if (end > (ends[index - 1] ?? 0)) parser.isKept = false;
    });
    parser.end();
  } catch (error) {
    failed = (error as NodeJS.ErrnoException).code ?? '';
  }
  expect(told).toEqual(parser.status === 0 ? [] : [parser.status]);
  if (parser.status === 0) return { status: 0, failed };
  const { body, ...rest } = parser.answer;
  return { ...rest, body: body?.toString('latin1'), isKept: body !== undefined && parser.isKept };
}

/** However they are split: at each byte, and in single ones. */
function everySplit(bytes: Buffer): number[][] {
  const places = Array.from({ length: bytes.length + 1 }, (_, index) => index);
  return [...places.map((place) => [place]), places];
}

const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');

/** Lines end with CRLF. */
const ANSWERS = [
  'HTTP/1.1 200 OK\nContent-Length: 2\n\nhi',
  'HTTP/1.1 200\ncontent-length:2\n\nhi',
  'HTTP/1.1 200 \nCONTENT-LENGTH:   2  \n\nhi',
  'HTTP/1.1 200 OK\nContent-Length: 0\nContent-Type: application/x-protobuf\n\n',
  'HTTP/1.1 200 OK\nContent-Length: 0\nConnection: close\n\n',
  'HTTP/1.1 200 OK\nContent-Length: 0\nConnection: Keep-Alive, Close\n\n',
  'HTTP/1.1 200 OK\nContent-Length: 0\nConnection: x\nConnection: close\n\n',
  'HTTP/1.0 200 OK\nContent-Length: 0\n\n',
  'HTTP/1.0 200 OK\nContent-Length: 0\nConnection: keep-alive\n\n',
  'HTTP/1.0 200 OK\n\nuntil the end',
  'HTTP/1.1 200 OK\n\nuntil the end',
  'HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\nuntil the end',
  'HTTP/1.1 503 Busy\nRetry-After: 7\nRetry-After: 9\nContent-Length: 4\n\nbusy',
  'HTTP/1.1 503 Busy\nRetry-After:\n 7\nContent-Type: a\nContent-Length: 4\n\nbusy',
  'HTTP/1.1 503 Busy\nContent-Type: a;\n b=c\nContent-Length: 4\n\nbusy',
  'HTTP/1.1 503 Busy\nContent-Type: a\n\t; b=c\nContent-Length: 4\n\nbusy',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: gzip, Chunked\n\n2\nhi\n0\n\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: gzip\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n0A;name=value;b="x y"\n0123456789\n2\n\n\n0\nA-Trailer: x\nAnother: y\n\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nConnection: close\n\n00000001\nx\n000\n\n',
  'HTTP/1.1 204 No Content\nRetry-After: 1\n\n',
  'HTTP/1.1 304 Not Modified\nContent-Type: x\n\n',
  'HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nContent-Length: 2\n\nhi',
  'HTTP/1.1 103 Early Hints\nLink: </x>\nRetry-After: 1\n\nHTTP/1.1 102 Processing\n\nHTTP/1.1 400 No\nContent-Length: 2\n\nhi',
  'HTTP/1.1 101 Switching Protocols\n\n',
  'HTTP/1.1 307 Elsewhere\nLocation: http://127.0.0.1/\nContent-Length: 0\n\n',
  'HTTP/1.1 599 \u00e9\u00ff\nX: \u00e9\u00ff\nContent-Length: 1\n\n\u00ff',
  '\nHTTP/1.1 200 OK\nContent-Length: 2\n\nhi',
  // Broken off.
  'HTTP/1.1 200 OK\nContent-Length: 20\n\nhi',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhi',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n',
  'HTTP/1.1 200 OK\nContent-Length: 2\n',
  'HTTP/1.1 100 Continue\n\n',
  'HTTP/1.1 2',
  'HT',
  '',
  // Wrong.
  'SSH-2.0-OpenSSH_9.9\n\n',
  'SSH',
  'HTTP/1.1 20 OK\n\n',
  'HTTP/1.1 2000 OK\n\n',
  'HTTP/1.1 abc OK\n\n',
  'HTTP/9.9 200 OK\n\n',
  'HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 3\n\nhi!',
  'HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 2\n\nhi!',
  'HTTP/1.1 200 OK\nContent-Length: 2, 2\n\nhi',
  'HTTP/1.1 200 OK\nContent-Length: -2\n\nhi',
  'HTTP/1.1 200 OK\nContent-Length: 0x2\n\nhi',
  'HTTP/1.1 200 OK\nContent-Length:\n\nhi',
  'HTTP/1.1 200 OK\nno colon\n\n',
  'HTTP/1.1 200 OK\n: no name\n\n',
  'HTTP/1.1 200 OK\nA Name: x\n\n',
  'HTTP/1.1 200 OK\nName : x\n\n',
  'HTTP/1.1 200 OK\nName: \u0000\n\n',
  'HTTP/1.1 200 OK\n folded: x\n\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nhi\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n-2\nhi\n0\n\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi!\n0\n\n',
];

/** Node keeps the blanks where a line was folded. */
function unfolded(outcome: Outcome): Outcome {
  const plain = (text: string | undefined) => text?.replaceAll(/[\t ]+/g, ' ');
  if (outcome.contentType === undefined) return outcome;
  return { ...outcome, retryAfter: plain(outcome.retryAfter), contentType: plain(outcome.contentType) ?? '' };
}

/** Which of several faults is told depends on Node's version. */
function anyFault(outcome: Outcome): Outcome {
  return outcome.failed?.startsWith('HPE_') ? { status: 0, failed: 'HPE' } : outcome;
}

describe('as Node reads them, at every split', () => {
  test.each(ANSWERS)('%j', async (text) => {
    const bytes = bytesOf(text);
    const expected = await readByNode(bytes);
    const whole = readHere(bytes, []);
    expect(anyFault(unfolded(whole))).toEqual(anyFault(unfolded(expected)));
    for (const cuts of everySplit(bytes)) expect(readHere(bytes, cuts)).toEqual(whole);
  });
});
