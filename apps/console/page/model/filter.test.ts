import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { line } from '../test/records.ts';
import {
  amountOf,
  andTerm,
  compile,
  fieldAt,
  parseFilter,
  printFilter,
  type Term,
  textMatches,
  withTerm,
} from './filter.ts';
import { logLens } from './lenses.ts';

const matches = (q: string, record = line({ seq: 1 })): boolean => compile(parseFilter(q), logLens)(record);

const term: fc.Arbitrary<Term> = fc
  .record({
    key: fc.option(fc.stringMatching(/^[a-z_][a-z0-9_.]{0,12}$/), { nil: undefined }),
    operator: fc.constantFrom('=', '>', '>=', '<', '<=' as const),
    value: fc.string({ unit: 'binary', maxLength: 20 }),
    negated: fc.boolean(),
  })
  .map((one) => (one.key === undefined ? { ...one, operator: '=' as const } : one))
  .filter(({ key, value }) => key !== undefined || value !== '') as fc.Arbitrary<Term>;

describe('the parser', () => {
  it('reads words, phrases, fields, operators and their opposites', () => {
    expect(
      parseFilter('  timeout "went away" -retry logger:fit_check.llm status:error -level:>=WARNING took:<1.5s '),
    ).toEqual([
      { operator: '=', value: 'timeout', negated: false },
      { operator: '=', value: 'went away', negated: false },
      { operator: '=', value: 'retry', negated: true },
      { key: 'logger', operator: '=', value: 'fit_check.llm', negated: false },
      { key: 'status', operator: '=', value: 'error', negated: false },
      { key: 'level', operator: '>=', value: 'WARNING', negated: true },
      { key: 'took', operator: '<', value: '1.5s', negated: false },
    ]);
    expect(parseFilter('route:"/a b" "say \\"x\\"" request_id:')).toEqual([
      { key: 'route', operator: '=', value: '/a b', negated: false },
      { operator: '=', value: 'say "x"', negated: false },
      { key: 'request_id', operator: '=', value: '', negated: false },
    ]);
  });

  it('takes addresses, times and what is half typed for words', () => {
    for (const text of ['http://localhost:8000/x', '12:30:01', ':', '-', '::x', 'a"b'])
      expect(parseFilter(text)).toEqual([{ operator: '=', value: text, negated: false }]);
    expect(parseFilter('"open')).toEqual([{ operator: '=', value: 'open', negated: false }]);
    expect(parseFilter(' \t\n')).toEqual([]);
  });

  it('never throws, and what it reads says the same when it is written and read again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const terms = parseFilter(text);
        expect(parseFilter(printFilter(terms))).toEqual(terms);
      }),
    );
  });

  it('reads back whatever terms are written', () => {
    fc.assert(
      fc.property(fc.array(term, { maxLength: 5 }), (terms) => {
        expect(parseFilter(printFilter(terms))).toEqual(terms);
      }),
    );
  });

  it('puts a term in and takes it out', () => {
    expect(withTerm('x level:>=ERROR', 'level', 'WARNING', '>=')).toBe('x level:>=WARNING');
    expect(withTerm('x level:>=ERROR', 'level', undefined)).toBe('x');
    const one: Term = { key: 'a', operator: '=', value: '1', negated: false };
    expect(andTerm(andTerm('x', one), one)).toBe('x a:1');
  });
});

describe('a filter', () => {
  const record = line({
    seq: 7,
    level: 'ERROR',
    logger: 'fit_check.llm',
    message: 'The model went away',
    traceId: 'ab',
    fields: {
      status: 'error',
      duration_ms: 812.5,
      llm: { model: 'gpt-4', calls: 2 },
      route: '/api/x',
      tags: ['a', 'b'],
      gone: null,
    },
  });

  it.each([
    ['', true],
    ['MODEL', true],
    ['"went away"', true],
    ['"away went"', false],
    ['gpt', true],
    ['-gpt', false],
    ['logger:fit_check.*', true],
    ['logger:fit_check', false],
    ['logger:*.llm', true],
    ['status:ERROR', true],
    ['-status:error', false],
    ['level:error', true],
    ['level:>=warn', true],
    ['level:>ERROR', false],
    ['level:fatal', false],
    ['level:>=nonsense', false],
    ['duration_ms:>500ms', true],
    ['duration_ms:>0.8s', true],
    ['duration_ms:>1s', false],
    ['duration_ms:>=812.5', true],
    ['duration_ms:<many', false],
    ['llm.model:gpt-4', true],
    ['llm.nothing:x', false],
    ['tags:b', true],
    ['tags:c', false],
    ['trace_id:ab', true],
    ['gone:', false],
    ['-gone:', true],
    ['route:', true],
    ['status:error level:ERROR model', true],
    ['status:error nothing', false],
  ])('%s: %s', (q, expected) => expect(matches(q, record)).toBe(expected));

  it('and its opposite never agree, and together let everything through', () => {
    fc.assert(
      fc.property(
        term,
        fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.oneof(fc.string(), fc.double(), fc.boolean())),
        (one, fields) => {
          const some = line({ seq: 1, fields });
          const test = compile([one], logLens)(some);
          expect(compile([{ ...one, negated: !one.negated }], logLens)(some)).toBe(!test);
        },
      ),
    );
  });

  it('looks up own fields alone', () => {
    for (const key of ['constructor', '__proto__', 'toString', 'a.constructor'])
      expect(fieldAt({ a: {} }, key)).toBeUndefined();
  });
});

it('a pattern means what a regular expression of it would mean', () => {
  const text = fc.stringMatching(/^[ab.]{0,12}$/);
  fc.assert(
    fc.property(text, fc.stringMatching(/^[ab.*]{0,8}$/), (whole, pattern) => {
      const same = new RegExp(
        `^${pattern
          .split('*')
          .map((part) => part.replaceAll('.', '\\.'))
          .join('.*')}$`,
      );
      expect(textMatches(whole, pattern, false)).toBe(same.test(whole));
    }),
  );
});

it('a pattern of many stars costs no more than a look', () => {
  const began = performance.now();
  const plain = performance.now() - began;
  expect(textMatches('a'.repeat(100_000), `${'*a'.repeat(500)}*b`, false)).toBe(false);
  expect(performance.now() - began - plain).toBeLessThan(10_000);
});

it('amounts have units', () => {
  expect(['1.5s', '250 ms', '2m', '1h', '3kb', '7', '-2', '1e3'].map(amountOf)).toEqual([
    1500, 250, 120_000, 3_600_000, 3000, 7, -2, 1000,
  ]);
  for (const text of ['', 'ms', '1 parsec', 'NaN', '0x10', '1.2.3']) expect(amountOf(text)).toBeNaN();
});
