/** Request ids: the caller's where it is usable, else a new one. */
import { randomUuid } from '../random.ts';

const USABLE = /^[\x21\x23-\x26\x28-\x7e]{1,128}$/;

/** The `x-request-id` header when it is 1 to 128 visible ASCII characters without quotes, else a new UUID. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && USABLE.test(header) ? header : randomUuid();
}
