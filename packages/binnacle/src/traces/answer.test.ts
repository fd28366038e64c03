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
            resolve({
              status,
              retryAfter: headers['retry-after'],
              contentType,
              body,
              isKept: body !== undefined && isKept,
            });
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
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: gzip, Chunked\n\n2\nhi\n0\n\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: gzip\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n0A;name=value;b="x y"\n0123456789\n2\n\n\n0\nA-Trailer: x\nAnother: y\n\n',
  'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nConnection: close\n\n00000001\nx\n000\n\n',
  'HTTP/1.1 204 No Content\nRetry-After: 1\n\n',
  'HTTP/1.1 304 Not Modified\nContent-Type: x\n\n',
  'HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nContent-Length: 2\n\nhi',
  'HTTP/1.1 103 Early Hints\nLink: </x>\nRetry-After: 1\n\nHTTP/1.1 102 Processing\n\nHTTP/1.1 400 No\nContent-Length: 2\n\nhi',
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

/** Which of several faults is told depends on Node's version. */
function anyFault(outcome: Outcome): Outcome {
  return outcome.failed?.startsWith('HPE_') ? { status: 0, failed: 'HPE' } : outcome;
}

describe('as Node reads them, at every split', () => {
  test.each(ANSWERS)('%j', async (text) => {
    const bytes = bytesOf(text);
    const whole = readHere(bytes, []);
    expect(anyFault(whole)).toEqual(anyFault(await readByNode(bytes)));
    for (const cuts of everySplit(bytes)) expect(readHere(bytes, cuts)).toEqual(whole);
  });

  test('whatever they are put together of, and wherever they break off', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9', ' ', '\n', '0', ':'), maxLength: 30 });
    const name = fc.constantFrom('X', 'Server', 'Keep-Alive-Not', 'Content-Type', 'retry-after');
    const field = fc.tuple(name, fc.stringMatching(/^[ -~]{0,20}$/)).map(([key, value]) => `${key}: ${value}\n`);
    const fields = fc.array(field, { maxLength: 4 }).map((lines) => lines.join(''));
    const connection = fc.constantFrom(
      '',
      'Connection: close\n',
      'Connection: keep-alive\n',
      'connection: TE, Close\n',
    );
    const chunk = (part: string): string => `${bytesOf(part).length.toString(16)}\n${part}\n`;
    const body = fc.oneof(
      text.map((part) => `Content-Length: ${bytesOf(part).length}\n\n${part}`),
      text.map((part) => `\n${part}`),
      fc.array(fc.oneof(text.filter((part) => part !== ''))).map((parts) => {
        return `Transfer-Encoding: chunked\n\n${parts.map(chunk).join('')}0\n\n`;
      }),
    );
    const first = fc.tuple(fc.constantFrom('1.0', '1.1'), fc.constantFrom(200, 202, 301, 400, 404, 429, 503, 999));
    const interim = fc.constantFrom('', '', 'HTTP/1.1 100 Continue\n\n', 'HTTP/1.1 103 Early\nLink: x\n\n');
    const answer = fc
      .tuple(interim, first, fields, connection, body)
      .map(([before, [version, status], ...rest]) => `${before}HTTP/${version} ${status} OK\n${rest.join('')}`);
    const places = fc.array(fc.nat(400), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(answer, fc.option(fc.nat(200)), places, async (whole, length, cuts) => {
        const bytes = bytesOf(whole).subarray(0, length ?? undefined);
        const ordered = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
        expect(anyFault(readHere(bytes, ordered))).toEqual(anyFault(await readByNode(bytes)));
      }),
      { numRuns: 500 },
    );
  });
});

describe('where Node does not follow RFC 9112', () => {
  const kept = { status: 200, retryAfter: undefined, contentType: '', body: 'hi', isKept: true };
  test.each<[string, Outcome]>([
    // Folded lines (section 5.2), which Node refuses.
    [
      '503 Busy\nRetry-After:\n 7\nContent-Type: a;\n\tb=c\nX:\n y\nContent-Length: 0\n\n',
      { ...kept, status: 503, retryAfter: '7', contentType: 'a; b=c', body: '' },
    ],
    ['200 OK\nContent-Length: \t2\t\n\nhi', kept],
    // Both lengths (section 6.3): the coding's counts, and the connection is not kept.
    ['200 OK\nContent-Length: 9\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n', { ...kept, isKept: false }],
    // Blanks before extensions, and extensions that are quoted (section 7.1.1).
    ['200 OK\nTransfer-Encoding: chunked\n\n2 ;a="b"\nhi\n0\n\n', kept],
    // These have no body, whatever they say (section 6.3).
    ['204 No Content\nContent-Length: 5\n\n', { ...kept, status: 204, body: '' }],
    ['304 Not Modified\nTransfer-Encoding: chunked\n\n', { ...kept, status: 304, body: '' }],
    // Nobody asked for another protocol.
    ['101 Switching Protocols\nUpgrade: x\nConnection: upgrade\n\n', { ...kept, status: 101, body: '', isKept: false }],
    ['200 OK\nContent-Length: 99999999999999999999\n\nhi', { ...kept, body: undefined, isKept: false }],
  ])('%j', (text, expected) => {
    const bytes = bytesOf(`HTTP/1.1 ${text}`);
    for (const cuts of everySplit(bytes)) expect(readHere(bytes, cuts)).toEqual(expected);
  });
});

test.each([
  ['hello', 'HPE_INVALID_CONSTANT'],
  ['\r\r', 'HPE_INVALID_CONSTANT'],
  ['HTTP/2.0 200 OK\r\n', 'HPE_INVALID_VERSION'],
  ['HTTP/1.1 099 OK\r\n', 'HPE_INVALID_STATUS'],
  ['HTTP/1.1 200 OK\n', 'HPE_CR_EXPECTED'],
  ['HTTP/1.1 200 OK\r\nA: b\rc\r\n', 'HPE_INVALID_HEADER_TOKEN'],
  ['HTTP/1.1 200 OK\r\nA\u00e9: b\r\n', 'HPE_INVALID_HEADER_TOKEN'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n', 'HPE_UNEXPECTED_CONTENT_LENGTH'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n', 'HPE_INVALID_CONTENT_LENGTH'],
])('%j is told at once, by its code', (text, failed) => {
  expect(readHere(Buffer.from(text, 'latin1'), [])).toEqual({ status: 0, failed });
});

describe('bounds', () => {
  const ok = 'HTTP/1.1 200 OK\n';
  const chunked = `${ok}Transfer-Encoding: chunked\n\n`;
  const bodyOf = (text: string): string | undefined => readHere(bytesOf(text), []).body;

  test.each([
    ['a field', `${ok}A: ${'x'.repeat(17_000)}`],
    ['fields', ok + 'A: b\n'.repeat(4000)],
    ['a status line', `HTTP/1.1 200 ${'x'.repeat(17_000)}`],
    ['empty lines', '\n'.repeat(9000)],
  ])('a head of more than 16 KiB: %s', (_, text) => {
    expect(readHere(bytesOf(text), [])).toEqual({ status: 0, failed: 'HPE_HEADER_OVERFLOW' });
  });

  test('a head of 16 KiB is read, and each interim one counts by itself', () => {
    const head = `A: ${'x'.repeat(8000)}\n`;
    expect(bodyOf(`${ok}${head}${head}Content-Length: 1\n\ny`)).toBe('y');
    expect(bodyOf(`${`HTTP/1.1 100 Continue\n${head}\n`.repeat(10)}${ok}${head}Content-Length: 1\n\ny`)).toBe('y');
  });

  test.each([
    ['extensions of a chunk', `${chunked}1;${'x'.repeat(17_000)}\ny\n0\n\n`],
    ['trailers', `${chunked}1\ny\n0\n${'A: b\n'.repeat(4000)}\n`],
    ['a body', `${ok}Content-Length: 65537\n\n${'y'.repeat(65_537)}`],
    ['a body until the end', `${ok}\n${'y'.repeat(65_537)}`],
    ['a chunk', `${chunked}10001\n${'y'.repeat(65_537)}\n0\n\n`],
    ['chunks', `${chunked}${`8000\n${'y'.repeat(0x8000)}\n`.repeat(2)}1\ny\n0\n\n`],
  ])('no more than 64 KiB of body, 16 KiB of the rest: %s', (_, text) => {
    expect(readHere(bytesOf(text), [])).toMatchObject({ status: 200, body: undefined, isKept: false });
  });

  test.each([
    ['a body', `${ok}Content-Length: 65536\n\n${'y'.repeat(65_536)}`],
    ['a body until the end', `${ok}\n${'y'.repeat(65_536)}`],
    ['chunks of one byte', `${chunked}${'1\ny\n'.repeat(65_536)}0\n\n`],
  ])('64 KiB: %s', (_, text) => {
    expect(bodyOf(text)).toBe('y'.repeat(65_536));
  });

  test('of an answer that is too long nothing more is taken', () => {
    const parser = new AnswerParser(() => {});
    parser.push(bytesOf(`${ok}Content-Length: 65537\n\n`));
    expect([parser.isDone, parser.isKept, parser.answer.body]).toEqual([true, false, undefined]);
  });
});

test.each([
  ['timeout=5', 5000],
  ['timeout=5, max=100', 5000],
  ['max=100, Timeout=15', 15_000],
  ['max=100', Number.POSITIVE_INFINITY],
  ['timeout=soon', Number.POSITIVE_INFINITY],
])('Keep-Alive: %s', (value, keptMs) => {
  const parser = new AnswerParser(() => {});
  parser.push(bytesOf(`HTTP/1.1 204 No Content\nKeep-Alive: ${value}\n\n`));
  expect([parser.isKept, parser.keptMs]).toEqual([true, keptMs]);
});

test('what follows an answer costs its connection', () => {
  const parser = new AnswerParser(() => {});
  parser.push(bytesOf('HTTP/1.1 200 OK\nContent-Length: 2\n\nhi!'));
  expect([parser.isDone, parser.isKept, parser.answer.body?.toString()]).toEqual([true, false, 'hi']);
});
