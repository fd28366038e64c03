import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wordless } from './wordless.ts';

test('type, code, frames and causes, without a word of what it says', () => {
  const cause = Object.assign(new RangeError('a marker within'), { code: 'E_RANGE' });
  const told = wordless(new TypeError('a marker\n    at marker (file.js:1:1)\nmore', { cause }));
  expect(told).toMatchObject({ type: 'TypeError', cause: { type: 'RangeError', code: 'E_RANGE' } });
  const [head, frame] = told.stack?.split('\n') ?? [];
  expect(head).toBe('TypeError');
  expect(frame).toMatch(/^ {4}at .*wordless\.test\.ts/);
  expect(JSON.stringify(told)).not.toContain('marker');
});

test('the class tells where the name was left as Error', () => {
  class UpstreamError extends Error {}
  expect(wordless(new UpstreamError('x')).type).toBe('UpstreamError');
  expect(wordless(new Error('x')).type).toBe('Error');
});

test('names and codes that are sentences are none', () => {
  const odd = Object.assign(new Error('x'), { name: 'a marker', code: 'another marker' });
  expect(JSON.stringify(wordless(odd))).not.toContain('marker');
  expect(wordless(odd).type).toBe('Error');
});

test('whatever is thrown: primitives, proxies, getters that throw, causes in a circle', () => {
  expect(wordless('a marker')).toEqual({ type: 'string' });
  expect(wordless(undefined)).toEqual({ type: 'undefined' });
  expect(wordless(null)).toEqual({ type: 'null' });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect(wordless(proxy)).toEqual({ type: 'unknown' });
  const circle: { cause?: unknown } = {};
  circle.cause = circle;
  expect(JSON.stringify(wordless(circle)).match(/type/g)).toHaveLength(6);
});

test('no message of any shape comes through', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('\n', ' ', '(', ':', '1', 'at ', '    at ') }), (noise) => {
      const error = new Error(`${noise}marker${noise}`);
      expect(JSON.stringify(wordless(error))).not.toContain('marker');
      expect(wordless(error).stack).toMatch(/wordless\.test\.ts/);
    }),
  );
});
