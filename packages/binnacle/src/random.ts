/** Random digits, from pooled bytes of a secure generator: what comes from it cannot be foretold. */
import { randomFillSync } from 'node:crypto';

/**
 * Random bytes that are drawn at once. Small, since an id that is kept keeps the digits of its pool: `keptAlone` makes
 * it one that does not.
 */
const POOL = 16_384;
const pool: Buffer = Buffer.allocUnsafeSlow(POOL);
let digits = '';
let at = POOL;

/** So many random bytes in hex, two digits each; at most 16,384. */
export function randomHex(bytes: number): string {
  if (at + bytes > POOL) {
    digits = randomFillSync(pool).toString('hex');
    at = 0;
  }
  const drawn = digits.slice(at * 2, (at + bytes) * 2);
  at += bytes;
  return drawn;
}

/** UUIDs that are made at once. */
const UUIDS = 400;
const UUID_LENGTH = 36;
const HYPHEN = 45;
let uuids = '';
let nextUuid = UUIDS;

/** A UUID of version 4 (RFC 9562, 5.4). Node's own makes each by itself, which costs several times as much. */
export function randomUuid(): string {
  if (nextUuid === UUIDS) {
    uuids = drawUuids();
    nextUuid = 0;
  }
  const start = nextUuid * UUID_LENGTH;
  nextUuid += 1;
  return uuids.slice(start, start + UUID_LENGTH);
}

function drawUuids(): string {
  const bytes = randomFillSync(Buffer.allocUnsafe(UUIDS * 16));
  const text = Buffer.allocUnsafe(UUIDS * UUID_LENGTH);
  for (let n = 0; n < UUIDS; n += 1) writeUuid(bytes, n * 16, text, n * UUID_LENGTH);
  return text.toString('latin1');
}

/** By itself, since V8 compiles a loop that is long before it has seen what follows it, and falls back there each time. */
function writeUuid(bytes: Buffer, from: number, text: Buffer, start: number): void {
  let to = start;
  bytes[from + 6] = ((bytes[from + 6] as number) & 0x0f) | 0x40;
  bytes[from + 8] = ((bytes[from + 8] as number) & 0x3f) | 0x80;
  for (let i = 0; i < 16; i += 1) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text[to++] = HYPHEN;
    const byte = bytes[from + i] as number;
    text[to++] = DIGITS[byte >> 4] as number;
    text[to++] = DIGITS[byte & 15] as number;
  }
}

const DIGITS: readonly number[] = [...Buffer.from('0123456789abcdef')];

/** The same text, in memory of its own: for one that outlives its request. */
export function keptAlone(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
