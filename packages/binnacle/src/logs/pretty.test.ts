import { describe, expect, test } from 'vitest';
import { wantsColour } from './destination.ts';
import { createPretty, escapeText } from './pretty.ts';

const ESC = '\u001b';
const record = {
  timestamp: '2026-01-02T12:34:56.789Z',
  level: 'INFO',
  logger: 'fit-check',
  message: '[log-test-123] Phase completed: connecting (0.45s)',
  request_id: '1a2b3c4d-0000-4000-8000-000000000000',
  session_id: 'log-test-123',
  trace_id: '9f8e7d6c5b4a39281706f5e4d3c2b1a0',
  span_id: '1122334455667788',
  trace_flags: '01',
  phase: 'connecting',
  duration_ms: 450.1,
  service: 'fit-check',
  version: '1.0.0',
  environment: 'development',
};
const local = new Date(record.timestamp).toTimeString().slice(0, 8);
const pretty = (fields: object, colour = false): string => createPretty({ colour })(`${JSON.stringify(fields)}\n`);

describe('text lines', () => {
  test('are readable, with short ids', () => {
    expect(pretty(record)).toBe(
      `${local}.789 INFO  fit-check  [log-test-123] Phase completed: connecting (0.45s)  ` +
        'phase=connecting duration_ms=450.1 req=1a2b3c4d trace=9f8e7d6c\n',
    );
  });

  test('are aligned once a logger has been seen', () => {
    const format = createPretty({ colour: false });
    format(JSON.stringify(record));
    const short = format(JSON.stringify({ ...record, logger: 'otel', level: 'WARNING' }));
    expect(short.indexOf('[log-test')).toBe(pretty(record).indexOf('[log-test'));
  });

  test('coloured, they say the same', () => {
    const text = pretty(record, true);
    expect(text).toContain(`${ESC}[32mINFO ${ESC}[0m`);
    const parts = text.split(ESC).map((part, i) => (i === 0 ? part : part.replace(/^\[[\d;]*m/, '')));
    expect(parts.join('')).toBe(pretty(record));
  });

  test('values: words bare, text quoted, objects as JSON', () => {
    const text = pretty({ ...record, a: 'x y', b: '', c: { d: [1] }, e: null, f: true, 'odd key': 'k=v' });
    expect(text).toContain('a="x y" b="" c={"d":[1]} e=null f=true "odd key"="k=v" req=');
  });

  test('the session is told where the message does not, the caller where there is one', () => {
    const text = pretty({
      ...record,
      message: 'x',
      user_id: 'user-123456789',
      module: 'app',
      function: 'run',
      line: 7,
    });
    expect(text).toContain('at=app:7:run session=log-test req=1a2b3c4d trace=9f8e7d6c user=user-123');
  });

  test('exceptions stand below, indented, with their causes', () => {
    const exception = {
      type: 'Error',
      message: 'a',
      stack: 'Error: a\n    at f (x.ts:1:2)',
      cause: { type: 'Error', message: 'b', errors: [{ type: 'E', message: 'c' }] },
    };
    expect(
      pretty({ ...record, exception })
        .split('\n')
        .slice(1),
    ).toEqual(['    Error: a', '        at f (x.ts:1:2)', '    Caused by: Error: b', '      Among them: E: c', '']);
  });

  test('nothing from outside forges a line or drives the terminal', () => {
    const evil = `x\n12:00:00.000 INFO  fit-check  forged\r${ESC}[2J\u009b31m\u202e\u2028\u0007`;
    const text = pretty({
      ...record,
      message: evil,
      logger: evil,
      request_id: evil,
      [evil]: evil,
      nested: { [evil]: evil },
      exception: { type: evil, message: evil, stack: evil },
    });
    expect(text.split('\n').filter((line) => line.startsWith('12:00'))).toEqual([]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e\u2028]/);
    expect(text.split('\n')).toHaveLength(4);
    expect(escapeText(`a\nb\t${ESC}`)).toBe('a\\nb\\t\\e');
  });

  test('what is no JSON goes through escaped', () => {
    expect(createPretty({ colour: false })(`odd${ESC}\n`)).toBe('odd\\e\n');
  });
});

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ FORCE_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '0' }, true, false],
])('colours with %j on a terminal (%s): %s', (env, terminal, expected) => {
  expect(wantsColour(env, terminal)).toBe(expected);
});
