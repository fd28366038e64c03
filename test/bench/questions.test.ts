import { describe, expect, test } from 'vitest';
import { loadBench } from './modules.ts';

interface Question {
  next(): Buffer;
  reader(): (chunk: Buffer) => boolean;
}
interface Questions {
  askJson(path: string, answer: string): Question;
  askStream(path: string, events: number): Question;
  askSession(path: string): Question;
}
const { askJson, askStream, askSession } = await loadBench<Questions>('questions.mjs');

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const EVENT = chunk('data: {"chunk":"word"}\n\n');
const LAST = '0\r\n\r\n';

/** Which of the chunks end an answer, by their index. */
function endsIn(question: Question, chunks: readonly string[]): number[] {
  const read = question.reader();
  return chunks.flatMap((text, index) => (read(Buffer.from(text)) ? [index] : []));
}

/** Every way to part a text in two. */
function parted(text: string): [string, string][] {
  return Array.from({ length: text.length - 1 }, (_, at) => [text.slice(0, at + 1), text.slice(at + 1)]);
}

describe('a JSON answer', () => {
  const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{"a":1}';

  test('is whole with its last byte, however it was parted, and another may follow', () => {
    for (const [first, second] of parted(answer)) {
      expect(endsIn(askJson('/hello', '{"a":1}'), [first, second, answer]), first).toEqual([1, 2]);
    }
  });

  test('of another status is wrong at once', () => {
    const read = askJson('/hello', '{"a":1}').reader();
    expect(() => read(Buffer.from('HTTP/1.1 500 Internal Server Error\r\n'))).toThrow(/otherwise than with 200/);
  });
});

describe('a stream', () => {
  const answer = `${HEAD}${EVENT}${EVENT}${EVENT}${LAST}`;

  test('is whole with its last chunk, its events counted however it was parted', () => {
    for (const [first, second] of parted(answer)) {
      expect(endsIn(askStream('/stream', 3), [first, second, answer]), first).toEqual([1, 2]);
    }
  });

  test('of fewer events than were sent is wrong', () => {
    const read = askStream('/stream', 4).reader();
    expect(() => read(Buffer.from(answer))).toThrow('a stream of 3 events, not 4');
  });
});

describe('a session of fit-check', () => {
  test('asks what no other does, under an id of its own, with the length of its body', () => {
    const question = askSession('/api');
    const asked = [question.next(), question.next()].map((bytes) => bytes.toString().split('\r\n\r\n'));
    const bodies = asked.map(([, body]) => JSON.parse(body ?? '') as { query: string; session_id: string });
    expect(new Set(bodies.map(({ query }) => query)).size).toBe(2);
    expect(bodies.map(({ session_id }) => session_id)).toEqual(['bench-1', 'bench-2']);
    for (const [head, body] of asked) expect(head).toContain(`Content-Length: ${Buffer.byteLength(body ?? '')}`);
  });

  test('is whole where it says that it is complete, and else wrong', () => {
    const complete = `${HEAD}${EVENT.repeat(100)}${chunk('event: complete\ndata: {"session_id":"bench-1"}\n\n')}${LAST}`;
    expect(endsIn(askSession('/api'), [complete])).toEqual([0]);
    const read = askSession('/api').reader();
    expect(() => read(Buffer.from(`${HEAD}${chunk('event: error\ndata: {}\n\n')}${LAST}`))).toThrow('did not complete');
  });
});
