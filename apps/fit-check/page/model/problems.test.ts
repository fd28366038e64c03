import { describe, expect, it } from 'vitest';
import { FitCheckError } from '../../client/index.ts';
import { problemOf, whyNotAsk } from './problems.ts';

const CODES = [
  'bad_request',
  'not_found',
  'method_not_allowed',
  'session_busy',
  'too_large',
  'unsupported_type',
  'too_many_sessions',
  'shutting_down',
  'upstream_unavailable',
  'timeout',
  'internal',
  'network',
  'protocol',
  'cancelled',
  'interrupted',
  'failed',
  'replaced',
] as const;

describe('what went wrong', () => {
  it.each(CODES)('%s is said with what to do', (code) => {
    for (const opened of [true, false]) {
      const { title, text, remedy, reference } = problemOf(
        new FitCheckError(code, 'Told.', { requestId: 'r-1' }),
        opened,
      );
      expect(title).toMatch(/^[A-Z].{5,60}$/);
      expect(text.length).toBeGreaterThan(4);
      expect(['again', 'edit', 'ask', 'reload']).toContain(remedy);
      if (code === 'internal') expect(reference).toBe('r-1');
      if (code === 'not_found') expect(reference).toBeUndefined();
    }
  });

  it('says how long a busy service asks to wait, and what is wrong with a question', () => {
    expect(problemOf(new FitCheckError('too_many_sessions', '', { retryAfterMs: 5000 }), false).text).toContain(
      'in 5 seconds',
    );
    expect(problemOf(new FitCheckError('bad_request', '"query" must be…'), false)).toMatchObject({
      text: '"query" must be…',
      remedy: 'edit',
    });
  });

  it('reads a stored analysis again, and asks anew where only that helps', () => {
    expect(problemOf(new FitCheckError('network', ''), true).remedy).toBe('reload');
    expect(problemOf(new FitCheckError('cancelled', ''), true).remedy).toBe('again');
    expect(problemOf(new TypeError('a mistake of ours'), false).title).toBe('Something went wrong');
  });
});

it('a question is checked before it is sent', () => {
  expect(whyNotAsk('  ')).toMatch(/Name a company/);
  expect(whyNotAsk(' x ')).toMatch(/at least 2/);
  expect(whyNotAsk('x'.repeat(21_234))).toMatch(/1,234 characters too long/);
  expect(whyNotAsk('Go')).toBeUndefined();
  expect(whyNotAsk(`  ${'x'.repeat(20_000)}  `)).toBeUndefined();
});
