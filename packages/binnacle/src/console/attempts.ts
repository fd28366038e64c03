/** How often a wrong token may be tried: each peer a few times a minute, and all peers together not without end. */
import type { Clock } from '../signals.ts';

const MINUTE_MS = 60_000;
/** Failed attempts in any minute: of one peer, and of all. */
const OF_ONE = 10;
const OF_ALL = 100;

export class Attempts {
  readonly #clock: Pick<Clock, 'now'>;
  /** The failed ones of the last minute, the oldest first: at most `OF_ALL`. */
  #failed: { readonly peer: string; readonly at: number }[] = [];

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Whether a token of this peer's is looked at now. */
  allows(peer: string): boolean {
    const after = this.#clock.now() - MINUTE_MS;
    this.#failed = this.#failed.filter(({ at }) => at > after);
    return this.#failed.length < OF_ALL && this.#failed.filter((one) => one.peer === peer).length < OF_ONE;
  }

  failed(peer: string): void {
    this.#failed.push({ peer, at: this.#clock.now() });
  }
}

/** Who tries: an IPv6 network counts as one, since whoever has an address there has all of them. */
export function peerOf(address: string | undefined): string {
  if (address === undefined) return '';
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [groups = [], rest = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  while (groups.length + rest.length < 8) groups.push('0');
  return [...groups, ...rest].slice(0, 4).join(':');
}
