import { expect, test } from 'vitest';
import { requestIdFrom } from './request-id.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test.each([
  ['a UUID', '0d9f8a3e-6a53-4a36-8b5d-0a3c3a0f0c11'],
  ['one character', 'x'],
  ['128 characters', 'x'.repeat(128)],
  ['all that is visible', '!#$%&()*+,-./09:;<=>?@AZ[\\]^_`az{|}~'],
])('%s is taken as it is', (_, id) => {
  expect(requestIdFrom(id)).toBe(id);
});

test.each([
  ['none', undefined],
  ['an empty one', ''],
  ['129 characters', 'x'.repeat(129)],
  ['5,000 characters', 'x'.repeat(5000)],
  ['a double quote', 'a"b'],
  ['a single quote', "a'b"],
  ['a space', 'a b'],
  ['a newline', 'a\nb'],
  ['a newline at its end', 'ab\n'],
  ['a tab', 'a\tb'],
  ['a control character', 'a\u0000b'],
  ['DEL', 'a\u007fb'],
  ['what is not ASCII', 'é'],
  ['two headers', 'a, b'],
  ['an array', ['a']],
])('for %s there is a new one', (_, header) => {
  expect(requestIdFrom(header)).toMatch(UUID);
  expect(requestIdFrom(header)).not.toBe(requestIdFrom(header));
});
