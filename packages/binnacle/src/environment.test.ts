import { describe, expect, test } from 'vitest';
import { createReader, printableValue, readSettings, SettingsError } from './environment.ts';

test('what is unset, empty or blank falls back, and is no problem', () => {
  const from = createReader({ B: '', C: '  ' });
  for (const variable of ['A', 'B', 'C']) {
    expect(from.text(variable)).toBeUndefined();
    expect(from.integer(variable, 7, { min: 0, max: 9 })).toBe(7);
    expect(from.flag(variable, true)).toBe(true);
    expect(from.oneOf(variable, 'x', ['y'])).toBe('x');
    expect(from.list(variable, ['z'])).toEqual(['z']);
    expect(from.url(variable, 'none')).toBe('none');
  }
  expect(from.problems).toEqual([]);
});

describe('integer', () => {
  const read = (text: string) => {
    const from = createReader({ N: text });
    return [from.integer('N', 'fallback', { min: -5, max: 100, unit: 'bytes' }), from.problems.length];
  };
  test.each([
    ['0', 0],
    [' 42 ', 42],
    ['+7', 7],
    ['-5', -5],
    ['100', 100],
    ['007', 7],
  ])('%s', (text, number) => expect(read(text)).toEqual([number, 0]));
  test.each(['101', '-6', '1.5', '1e2', '0x10', 'ten', '1_000', '99999999999999999999', 'NaN', 'Infinity', '1 2'])(
    '%s is wrong',
    (text) => expect(read(text)).toEqual(['fallback', 1]),
  );
});

describe('flag', () => {
  test.each([
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['yes', true],
    ['On', true],
    ['false', false],
    ['0', false],
    ['No', false],
    ['off', false],
  ])('%s', (text, value) => expect(createReader({ F: text }).flag('F', !value)).toBe(value));
  test.each(['maybe', '2', 'truee', 'constructor', '__proto__'])('%s is wrong', (text) => {
    const from = createReader({ F: text });
    expect(from.flag('F', true)).toBe(true);
    expect(from.problems).toEqual([{ variable: 'F', value: `"${text}"`, allowed: 'true or false' }]);
  });
});

test('words are compared without case, lists are trimmed, URLs are http or https', () => {
  const from = createReader({ W: 'JSON', L: ' a, b,,c ', U: 'https://host:1/x', V: 'ftp://host', X: 'host:80' });
  expect(from.oneOf('W', 'text', ['text', 'json'])).toBe('json');
  expect(from.list('L', [])).toEqual(['a', 'b', 'c']);
  expect(from.url('U', '')).toBe('https://host:1/x');
  expect(from.problems).toEqual([]);
  expect([from.url('V', 1), from.url('X', 2)]).toEqual([1, 2]);
  expect(from.problems.map(({ variable }) => variable)).toEqual(['V', 'X']);
});

test.each([
  ['OPENAI_API_KEY', 'sk-1', '(withheld)'],
  ['METRICS_TOKEN', 'secret', '(withheld)'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization=x', '(withheld)'],
  ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'authorization=x', '(withheld)'],
  ['DB_PASSWORD', 'x', '(withheld)'],
  ['DATABASE_URL', 'postgres://user:pass@host:5432/db?sslmode=x', '"postgres://host:5432/db"'],
  ['DATABASE_URL', 'postgres://user:pa/ss@host/db', '"postgres://host/db"'],
  ['DATABASE_URL', 'postgres://user:pa?ss@host/db', '"postgres://host/db"'],
  ['DATABASE_URL', 'postgres://user:pa#ss@host/db', '"postgres://host/db"'],
  ['DATABASE_URL', 'postgres://user:pa@ss@host/db', '"postgres://host/db"'],
  ['DATABASE_URL', 'user:pass@host', '"host"'],
  ['DATABASE_URL', 'postgres://user:p\nq@host', '"postgres://host"'],
  ['SEARCH_URL', 'http://host/search?key=secret#x', '"http://host/search"'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://user:pass@host', '"grpc://host"'],
  ['PORT', 'a\nb"c', '"a\\nb\\"c"'],
  ['PORT', 'x'.repeat(500), `"${'x'.repeat(100)}…"`],
])('%s=%j is printed as %s', (variable, value, printed) => {
  expect(printableValue(variable, value)).toBe(printed);
});

test('all that is wrong is told at once, in one line with variable, value and what is allowed', () => {
  const read = () =>
    readSettings({ PORT: 'x\ny', TLS: 'perhaps' }, (from) => ({
      port: from.integer('PORT', 1, { min: 0, max: 65535 }),
      tls: from.flag('TLS', false),
    }));
  expect(read).toThrow(SettingsError);
  expect(read).toThrow(
    /^PORT="x\\ny" is not usable: allowed is a whole number from 0 to 65535; TLS="perhaps" is not usable: allowed is true or false$/,
  );
});
