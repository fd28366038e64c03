/**
 * Who may read the console. Without a token: whoever sits at this machine, with a browser that was not led here by
 * another site's name (https://en.wikipedia.org/wiki/DNS_rebinding) and through no proxy. With one: whoever has it, from
 * anywhere, by a bearer or by the cookie that the page's own form is given for it.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import type { Clock } from '../signals.ts';
import { Attempts, peerOf } from './attempts.ts';
import { headerOf } from './headers.ts';

/** `hidden`: nothing is said of it. `foreign`: another site's page asks. `limited`: too many wrong tokens. */
export type Access = 'granted' | 'hidden' | 'foreign' | 'unauthorized' | 'limited';

export const COOKIE = 'binnacle_console';
/** How long a cookie is good for, in seconds. */
const COOKIE_SECONDS = 12 * 60 * 60;
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;
const FORWARDED = /^(forwarded|x-forwarded-|x-real-ip$|via$)/;

export interface GuardOptions {
  readonly token: string | undefined;
  readonly clock: Pick<Clock, 'now' | 'wall'>;
}

export class Guard {
  readonly #token: string | undefined;
  readonly #key: Buffer;
  readonly #clock: Pick<Clock, 'now' | 'wall'>;
  readonly #attempts: Attempts;

  constructor({ token, clock }: GuardOptions) {
    this.#token = token;
    // Of the token, so that a cookie outlives a restart, is good for every process, and ends with the token.
    this.#key = createHash('sha256').update(`binnacle console\0${token}`).digest();
    this.#clock = clock;
    this.#attempts = new Attempts(clock);
  }

  get needsToken(): boolean {
    return this.#token !== undefined;
  }

  /** Whether the page's files, which hold nothing, may be had: where there is a token, by anybody who is to enter it. */
  mayLoad(req: IncomingMessage): boolean {
    return this.needsToken || isLocal(req);
  }

  /** Whether what is held may be read. */
  check(req: IncomingMessage): Access {
    if (!this.mayLoad(req)) return 'hidden';
    if (isForeign(req)) return 'foreign';
    if (this.#token !== undefined && this.#hasCookie(req)) return 'granted';
    return this.checkSender(req);
  }

  /** Whether what somebody sends, who is no page of the console's, may be taken: with a token, by the bearer alone. */
  checkSender(req: IncomingMessage): Access {
    if (!this.mayLoad(req)) return 'hidden';
    if (this.#token === undefined) return 'granted';
    const bearer = /^Bearer +(\S+)$/i.exec(headerOf(req, 'authorization') ?? '')?.[1];
    return bearer === undefined ? 'unauthorized' : this.#try(req, bearer);
  }

  /** A token from the form: where it is right, the cookie's header. */
  login(req: IncomingMessage, given: string): Access | { readonly cookie: string } {
    if (!this.mayLoad(req)) return 'hidden';
    if (!isSameOrigin(req)) return 'foreign';
    const access = this.#token === undefined ? 'granted' : this.#try(req, given);
    return access === 'granted' ? { cookie: this.#makeCookie(req) } : access;
  }

  #try(req: IncomingMessage, given: string): Access {
    const peer = peerOf(req.socket.remoteAddress);
    if (!this.#attempts.allows(peer)) return 'limited';
    if (isEqual(given, this.#token as string)) return 'granted';
    this.#attempts.failed(peer);
    return 'unauthorized';
  }

  #makeCookie(req: IncomingMessage): string {
    const until = String(Math.floor(this.#clock.wall() / 1000) + COOKIE_SECONDS);
    const isSecure =
      (req.socket as { encrypted?: boolean }).encrypted === true || headerOf(req, 'x-forwarded-proto') === 'https';
    const parts = [
      `${COOKIE}=${until}.${this.#sign(until)}`,
      'Path=/console',
      `Max-Age=${COOKIE_SECONDS}`,
      'HttpOnly',
      'SameSite=Strict',
    ];
    return [...parts, ...(isSecure ? ['Secure'] : [])].join('; ');
  }

  #hasCookie(req: IncomingMessage): boolean {
    const found = new RegExp(`(?:^|; ?)${COOKIE}=(\\d{1,12})\\.([\\w-]{43})(?:;|$)`).exec(
      headerOf(req, 'cookie') ?? '',
    );
    const [, until = '', signature = ''] = found ?? [];
    return Number(until) > this.#clock.wall() / 1000 && isEqual(signature, this.#sign(until));
  }

  #sign(until: string): string {
    return createHmac('sha256', this.#key).update(until).digest('base64url');
  }
}

/** From this machine, to one of its own names, and through no proxy. */
function isLocal(req: IncomingMessage): boolean {
  return (
    isLoopback(req.socket.remoteAddress) &&
    LOCAL_HOST.test(hostOf(req)) &&
    !Object.keys(req.headers).some((name) => FORWARDED.test(name))
  );
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const bare = address.replace(/^::ffff:/i, '');
  return address === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}

/** A page of another site asks, as browsers tell by https://www.w3.org/TR/fetch-metadata/. */
function isForeign(req: IncomingMessage): boolean {
  const site = headerOf(req, 'sec-fetch-site');
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** What changes something comes from the console's own page, or from no page at all. */
function isSameOrigin(req: IncomingMessage): boolean {
  if (isForeign(req)) return false;
  const origin = headerOf(req, 'origin');
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === hostOf(req).toLowerCase());
}

function hostOf(req: IncomingMessage): string {
  return headerOf(req, ':authority') ?? headerOf(req, 'host') ?? '';
}

/** In a time that says nothing of where they differ, or of their length. */
function isEqual(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
