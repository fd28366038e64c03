/** Random digits, from pooled bytes of a secure generator: what comes from it cannot be foretold. */
import { randomFillSync } from 'node:crypto';

/** Random bytes that the generator is asked for at once: between requests, each time it is costs far more than its bytes. */
const RESERVOIR = 32 * 1024;
const reservoir: Buffer = Buffer.allocUnsafeSlow(RESERVOIR);
let taken = RESERVOIR;

/** Fills a buffer of at most `RESERVOIR` bytes. */
function fill(buffer: Buffer): void {
  if (taken + buffer.length > RESERVOIR) {
    randomFillSync(reservoir);
    taken = 0;
  }
  reservoir.copy(buffer, 0, taken, taken + buffer.length);
  taken += buffer.length;
}

/** Small, since an id that is kept keeps the digits of its pool: `keptAlone` makes it one that does not. In bytes. */
const POOL = 4096;
const pool: Buffer = Buffer.allocUnsafeSlow(POOL);
const words: DataView = new DataView(pool.buffer);
let digits = '';
let at = POOL;

/** So many random bytes in hex, two digits each; at most 4,096. */
export function randomHex(bytes: number): string {
  if (at + bytes > POOL) refill();
  const drawn = digits.slice(at * 2, (at + bytes) * 2);
  at += bytes;
  return drawn;
}

function refill(): void {
  fill(pool);
  digits = pool.toString('hex');
  at = 0;
}

/** Random bytes of a new trace and its first span, as hex digits and as whole numbers of 32 bits, the first bytes first. */
export interface DrawnIds {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits. */
  readonly spanId: string;
  readonly trace0: number;
  readonly trace1: number;
  readonly trace2: number;
  readonly trace3: number;
  readonly span0: number;
  readonly span1: number;
}

/** Draws both. Who writes them as bytes needs not read them from their digits again, which costs more than all the rest. */
export function drawIds(): DrawnIds {
  if (at + 24 > POOL) refill();
  const place = at;
  at += 24;
  return {
    traceId: digits.slice(place * 2, place * 2 + 32),
    spanId: digits.slice(place * 2 + 32, place * 2 + 48),
    trace0: words.getInt32(place),
    trace1: words.getInt32(place + 4),
    trace2: words.getInt32(place + 8),
    trace3: words.getInt32(place + 12),
    span0: words.getInt32(place + 16),
    span1: words.getInt32(place + 20),
  };
}

/** UUIDs that are made at once. */
const UUIDS = 100;
const UUID_BYTES = 16;
const UUID_LENGTH = 36;
const HYPHEN = 45;
const uuidBytes: Buffer = Buffer.allocUnsafeSlow(UUIDS * UUID_BYTES);
const uuidText: Buffer = Buffer.allocUnsafeSlow(UUIDS * UUID_LENGTH);
const uuidView: DataView = new DataView(uuidText.buffer);
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
  fill(uuidBytes);
  for (let n = 0; n < UUIDS; n += 1) writeUuid(n * UUID_BYTES, n * UUID_LENGTH);
  return uuidText.toString('latin1');
}

/** By itself, since V8 compiles a loop that is long before it has seen what follows it, and falls back there each time. */
function writeUuid(from: number, at: number): void {
  const bytes = uuidBytes;
  bytes[from + 6] = ((bytes[from + 6] as number) & 0x0f) | 0x40;
  bytes[from + 8] = ((bytes[from + 8] as number) & 0x3f) | 0x80;
  let to = at;
  for (let i = 0; i < UUID_BYTES; i += 1) {
    if (i === 4 || i === 6 || i === 8 || i === 10) uuidText[to++] = HYPHEN;
    uuidView.setUint16(to, PAIRS[bytes[from + i] as number] as number);
    to += 2;
  }
}

const DIGITS: readonly number[] = [...Buffer.from('0123456789abcdef')];
/** Both digits of a byte, as they stand beside each other. */
const PAIRS: Uint16Array = Uint16Array.from(
  { length: 256 },
  (_, byte) => ((DIGITS[byte >> 4] as number) << 8) | (DIGITS[byte & 15] as number),
);

/** The same text, in memory of its own: for one that outlives its request. */
export function keptAlone(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
