/** Random digits, from pooled bytes of a secure generator: what comes from it cannot be foretold. */
import { randomFillSync } from 'node:crypto';

/**
 * Random bytes that are drawn at once. Small, since an id that is kept keeps the digits of its pool: `keptAlone` makes
 * it one that does not.
 */
const POOL = 4096;
const pool: Buffer = Buffer.allocUnsafeSlow(POOL);
let digits = '';
let at = POOL;

/** So many random bytes in hex, two digits each; at most 4096. */
export function randomHex(bytes: number): string {
  if (at + bytes > POOL) {
    digits = randomFillSync(pool).toString('hex');
    at = 0;
  }
  const drawn = digits.slice(at * 2, (at + bytes) * 2);
  at += bytes;
  return drawn;
}

/** The same text, in memory of its own: for one that outlives its request. */
export function keptAlone(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
