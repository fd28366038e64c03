import { expect, test } from 'vitest';
import { readPartialSuccess } from './partial-success.ts';

const read = (response: unknown) => readPartialSuccess(Buffer.from('x'), () => response as object);

test.each([
  [{ partialSuccess: { rejectedSpans: 2, errorMessage: 'too old' } }, { rejected: 2, message: 'too old' }],
  [{ partialSuccess: { rejectedSpans: '2' } }, { rejected: 2, message: '' }],
  [{ partialSuccess: { errorMessage: 'mind the size' } }, { rejected: 0, message: 'mind the size' }],
  [{ partialSuccess: { errorMessage: ' a\r\nb\u0000\u001b[31m\u2028c ' } }, { rejected: 0, message: 'a b [31m c' }],
  [{ partialSuccess: { rejectedSpans: 0, errorMessage: '' } }, undefined],
  [{ partialSuccess: {} }, undefined],
  [{ partialSuccess: null }, undefined],
  [{ partialSuccess: 'no' }, undefined],
  [{ partialSuccess: { rejectedSpans: -1 } }, undefined],
  [{ partialSuccess: { rejectedSpans: 1e300, errorMessage: 7 } }, undefined],
  [{}, undefined],
  [null, undefined],
  [undefined, undefined],
])('%j', (response, partial) => {
  expect(read(response)).toEqual(partial);
});

test('a long message is cut, an empty body is not read, a reader that throws says nothing', () => {
  expect(read({ partialSuccess: { errorMessage: 'x'.repeat(5000) } })?.message).toHaveLength(200);
  const throws = (): never => {
    throw new Error('no');
  };
  expect(readPartialSuccess(Buffer.from('x'), throws)).toBeUndefined();
  expect(readPartialSuccess(Buffer.alloc(0), () => ({ partialSuccess: { rejectedSpans: 1 } }))).toBeUndefined();
});
