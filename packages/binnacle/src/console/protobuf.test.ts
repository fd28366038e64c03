/** The reader of protobuf against protobufjs' writer, and against what no writer writes. */
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { isRead } from './otlp-messages.test-helper.ts';
import { msBetween, type Nanos, ProtobufReader, toMs } from './protobuf.ts';

const { Writer } = protobuf;
const at = (bytes: Uint8Array | readonly number[], field = 1): ProtobufReader => {
  const reader = new ProtobufReader(Uint8Array.from(bytes));
  expect(reader.next()).toBe(field);
  return reader;
};

describe('numbers', () => {
  test('any int64 is what it was, in digits beyond the safe ones', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const bytes = Writer.create().uint32(8).int64(value.toString()).finish();
        const reader = at(bytes);
        const read = reader.int64();
        expect(String(read)).toBe(value.toString());
        expect(typeof read).toBe(Number.isSafeInteger(Number(value)) ? 'number' : 'string');
        expect(reader.next()).toBe(0);
      }),
    );
  });

  test('sint32, uint64, fixed and doubles', () => {
    fc.assert(
      fc.property(fc.integer(), fc.maxSafeNat(), fc.double(), fc.nat(), (signed, natural, double, fixed) => {
        const long = String(natural);
        const bytes = Writer.create();
        bytes.uint32(8).sint32(signed).uint32(16).uint64(long).uint32(25).fixed64(long);
        bytes.uint32(33).double(double).uint32(45).fixed32(fixed).uint32(49).sfixed64(String(-natural));
        const reader = at(bytes.finish());
        expect(reader.sint32()).toBe(signed);
        reader.next();
        expect(reader.uint()).toBe(natural);
        reader.next();
        expect(reader.fixed64()).toBe(natural);
        reader.next();
        expect(reader.double()).toBe(double);
        reader.next();
        expect(reader.fixed32()).toBe(fixed);
        reader.next();
        expect(reader.sfixed64() + 0).toBe(-natural + 0);
      }),
    );
  });

  test('a repeated one is read packed and not, up to a bound', () => {
    const packed = Writer.create().uint32(10).fork().uint32(1).uint32(300).uint32(3).ldelim().finish();
    const bare = Writer.create().uint32(8).uint32(1).uint32(8).uint32(300).finish();
    const numbers: number[] = [];
    const reader = at(packed);
    reader.uints(numbers, 2);
    expect([numbers, reader.next(), reader.room.cut]).toEqual([[1, 300], 0, true]);
    const others: number[] = [];
    const second = at(bare);
    second.uints(others, 9);
    second.next();
    second.uints(others, 9);
    expect([others, second.room.cut]).toEqual([[1, 300], false]);
  });

  test('times keep their nanoseconds between two', () => {
    const nanos = (value: bigint): Nanos => ({ low: Number(value & 0xffff_ffffn), high: Number(value >> 32n) });
    const start = 1_700_000_000_123_456_789n;
    expect(toMs(nanos(start))).toBeCloseTo(1_700_000_000_123.4568, 3);
    expect(msBetween(nanos(start), nanos(start + 1n))).toBe(0.000001);
    expect(msBetween(nanos(start), nanos(start - 1n))).toBe(0);
    expect(msBetween(nanos(2n ** 32n - 1n), nanos(2n ** 32n + 1n))).toBe(0.000002);
  });
});

describe('texts', () => {
  test('any text is what it was; bytes that are no UTF-8 are not text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(at(Writer.create().uint32(10).string(text).finish()).string()).toBe(text);
      }),
    );
    expect(at([10, 3, 0x61, 0xff, 0x62]).string()).toBe('a\uFFFDb');
  });

  test.each([
    ['a', 1],
    ['é', 2],
    ['€', 3],
    ['\u{1f9ed}', 4],
  ])('%s, too often, is cut between two', (character, bytes) => {
    const reader = at(
      Writer.create()
        .uint32(10)
        .string(`xy${character.repeat(40_000)}`)
        .finish(),
    );
    const text = reader.string();
    expect(text).toBe(`xy${character.repeat(Math.floor((32 * 1024 - 2) / bytes))}…`);
    expect(reader.room.cut).toBe(true);
  });

  test('bytes that are no UTF-8 are cut all the same', () => {
    const bytes = Writer.create().uint32(10).bytes(new Uint8Array(50_000).fill(0x80)).finish();
    expect(at(bytes).string()).toMatch(/^\uFFFD+…$/);
    expect(at(bytes).base64()).toMatch(/^[\w+/]{43688}…$/);
  });
});

describe('what no writer writes', () => {
  test.each([
    ['a varint of eleven bytes', [8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ['a varint without its end', [8, 0x80]],
    ['field 0', [0, 1]],
    ['a field beyond 2^29', [0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ['wire type 6', [14, 1]],
    ['wire type 7', [15, 1]],
    ['the end of a group that has no start', [12]],
    ['a group without an end', [11, 8, 1]],
    ['groups in groups without end', [...new Array<number>(100).fill(11), ...new Array<number>(100).fill(12)]],
    ['a length beyond the message', [10, 5, 1]],
    ['a length beyond 32 bits', [10, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ['fixed64 cut short', [9, 1, 2, 3]],
    ['fixed32 cut short', [13, 1]],
  ])('%s is refused', (_name, bytes) => {
    const skipAll = (all: Uint8Array): void => {
      const reader = new ProtobufReader(all);
      while (reader.next() !== 0) reader.skip();
    };
    expect(isRead(skipAll, Uint8Array.from(bytes))).toBe(false);
  });

  test('a group is skipped, with the groups in it', () => {
    const reader = new ProtobufReader(Uint8Array.from([11, 8, 1, 19, 18, 1, 7, 20, 12, 16, 5]));
    reader.next();
    reader.skip();
    expect([reader.next(), reader.uint(), reader.next()]).toEqual([2, 5, 0]);
  });

  test.each([
    'string',
    'uint',
    'double',
    'fixed32',
    'fixed64',
    'sfixed64',
    'base64',
    'sint32',
    'int64',
    'enter',
  ] as const)('%s of another wire type is refused', (method) => {
    const wrong = [10, 0, 8, 1, 13, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0];
    const reader = new ProtobufReader(Uint8Array.from(wrong));
    let refused = 0;
    while (reader.next() !== 0) {
      const before = reader.place;
      if (!isRead(() => reader[method](), wrong as unknown as Uint8Array)) {
        refused += 1;
        reader.place = before;
        reader.skip();
      } else if (method === 'enter') reader.leave(wrong.length);
    }
    expect(refused).toBe(3);
  });
});
